#!/usr/bin/env node
// `npm run bench:console -- [--rounds 5] [--keys 2000] [--profile folder]`: measures the time from a typed
// key to its echo, in four ways:
//   local   a loop in one process that writes and reads a terminal directly
//   gRPC    the same packets to another process and back over the loopback, without a terminal
// relay   the loop of `local` behind gRPC, in some thirty lines
//   agent   the built agent
// The program on the terminal is `cat` in raw mode. The four ways take turns in every round, so that other
// load of the machine affects all of them. `agent / relay` is the cost that the agent adds to a terminal
// behind gRPC.
import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { fileURLToPath, URL } from 'node:url'
import { parseArgs } from 'node:util'
import { localTerminal } from './local-terminal.mjs'
import { Program } from '../program.mjs'
import { samplesTable } from '../report/tables.mjs'
import { runFolder } from '../run-folder.mjs'
import { percentile, Samples } from '../samples.mjs'
import { ScriptedGateway } from '../scripted-gateway.mjs'

const ECHO = ['sh', '-c', 'stty raw -echo; printf ready; exec cat']
const TURN = 50
const WARM_UP = 10

const { rounds, keys, profile } = options()
const folder = runFolder(profile)

const samples = new Samples()
for (let round = 1; round <= rounds; round++) {
  process.stderr.write(`round ${round} of ${rounds}\n`)
  await runRound(round)
}
process.stdout.write(`${samplesTable(samples, rounds)}\n`)

async function runRound(round) {
  const ways = {
    local: await localTerminal(ECHO),
    gRPC: await throughMirror({}),
    relay: await throughMirror({ TERMINAL: '1' }),
    agent: await throughAgent(round),
  }
  const us = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
  for (const { trip } of Object.values(ways)) for (let n = 0; n < WARM_UP; n++) await turn(trip, [])
  for (let done = 0; done < keys; done += TURN)
    for (const [name, { trip }] of Object.entries(ways)) await turn(trip, us[name])
  for (const { end } of Object.values(ways)) await end()
  record(us)
}

/** Compares each answer, which must be exactly the key. */
async function turn(trip, us) {
  for (let n = 0; n < TURN; n++) {
    const key = Buffer.of(n % 256)
    const startedAt = performance.now()
    const answer = await trip(key)
    us.push((performance.now() - startedAt) * 1000)
    if (!answer.equals(key)) throw new Error(`${key.toString('hex')} came back as ${answer.toString('hex')}`)
  }
}

function record(us) {
  const p50 = Object.fromEntries(Object.entries(us).map(([name, values]) => [name, percentile(values, 50)]))
  for (const [name, values] of Object.entries(us)) {
    samples.add(`${name}, p50`, 'us', percentile(values, 50))
    samples.add(`${name}, p99`, 'us', percentile(values, 99))
  }
  samples.add('agent / relay, p50', 'x', p50.agent / p50.relay)
  samples.add('agent / (gRPC + local), p50', 'x', p50.agent / (p50.gRPC + p50.local))
  samples.add('(agent - gRPC) / (relay - gRPC), p50', 'x', (p50.agent - p50.gRPC) / (p50.relay - p50.gRPC))
}

async function throughMirror(more) {
  const gateway = await ScriptedGateway.start()
  const file = fileURLToPath(new URL('mirror.mjs', import.meta.url))
  const env = { PATH: process.env.PATH, HOOP_KEY: gateway.key, ...more }
  const mirror = spawn(process.execPath, [file], { stdio: ['ignore', 'ignore', 'inherit'], env })
  const ended = new Promise((resolve) => mirror.once('exit', resolve))
  await gateway.connected
  const { trip, end } = await gateway.console(ECHO)
  const stop = async () => {
    await end()
    mirror.kill()
    await ended
    gateway.stop()
  }
  return { trip, end: stop }
}

async function throughAgent(round) {
  const gateway = await ScriptedGateway.start()
  const agent = new Program(['start'], { HOOP_KEY: gateway.key }, path.join(folder, `agent-${round}`))
  await agent.started(gateway.connected)
  const { trip, end } = await gateway.console(ECHO)
  const stop = async () => {
    await end()
    await agent.stop()
    gateway.stop()
  }
  return { trip, end: stop }
}

function options() {
  const known = { rounds: { type: 'string' }, keys: { type: 'string' }, profile: { type: 'string' } }
  try {
    const { rounds = '5', keys = '2000', profile } = parseArgs({ options: known }).values
    if (!/^[1-9]\d?$/.test(rounds)) throw new Error('--rounds must be a number from 1 to 99')
    if (!/^[1-9]\d{2,4}$/.test(keys)) throw new Error('--keys must be a number from 100 to 99999')
    return { rounds: Number(rounds), keys: Number(keys), profile }
  } catch (error) {
    process.stderr.write(`bench: ${error.message}\n`)
    process.exit(64)
  }
}
