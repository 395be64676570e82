import { existsSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openSpec } from '../support/scripted/open.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { RunningAgent, type AgentOptions } from '../support/sites/running-agent.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { Workplace } from '../support/sites/workplace.ts'
import { found, waitFor } from '../support/wait.ts'

// `AgentSessionPause` and `AgentSessionResume`, with real commands: each way out of a pause.

let gateway: ScriptedGateway
let running: RunningAgent
beforeEach(async () => {
  gateway = await ScriptedGateway.start()
})
afterEach(async () => {
  await running[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const sid = { 'gateway.session_id': 's1' }
const bytes = () => gateway.of('s1').reduce((sum, { payload }) => sum + payload.length, 0)
const code = async () => String((await gateway.closeOf('s1')).spec['client.exit_code'])

async function agent(options: AgentOptions = {}): Promise<void> {
  running = await RunningAgent.start(gateway.key(), { killGraceMs: 200, ...options })
  await running.serving()
}

async function open(params: Parameters<typeof openSpec>[1] = {}): Promise<void> {
  gateway.send('AgentSessionOpen', openSpec('s1', { clientOrigin: 'client', ...params }))
  await waitFor(() => gateway.of('s1').length > 0)
}

/** Runs a script whose output is paused before it begins; settles when nothing more can come of it. */
async function paused(script: string): Promise<void> {
  await open()
  gateway.send('AgentSessionPause', sid)
  gateway.send('AgentExecWriteStdin', sid, script)
  // A session behind it has been served completely: so has everything that this one could send.
  await other('s2')
  expect(gateway.of('s1').map(({ type }) => type)).toEqual(['ClientSessionOpenOK'])
}

async function other(id: string): Promise<void> {
  gateway.send('AgentSessionOpen', openSpec(id, { clientOrigin: 'client' }))
  await waitFor(() => gateway.of(id).length > 0)
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': id }, 'head -c 1000000 /dev/zero')
  await gateway.closeOf(id)
}

it('output waits while it is paused, whole, and other sessions do not', async () => {
  await agent()
  await paused('head -c 3000000 /dev/zero; exit 3')
  gateway.send('AgentSessionResume', sid)
  expect([await code(), bytes()]).toEqual(['3', 3_000_000])
})

it('a terminal takes keys while its output is paused', async () => {
  await agent()
  await open({ clientVerb: 'connect' })
  gateway.send('AgentSessionPause', sid)
  gateway.send('AgentTerminalWriteStdin', sid, '\n')
  gateway.send('AgentTerminalWriteStdin', sid, 'echo typed-$((1 + 1)); exit 4\n')
  await other('s2')
  expect(bytes()).toBe(0)
  gateway.send('AgentSessionResume', sid)
  expect(await code()).toBe('4')
  expect(
    gateway
      .of('s1')
      .map(({ payload }) => String(payload))
      .join(''),
  ).toContain('typed-2')
})

it('a pause or a resume out of turn, twice, or of an unknown session is no harm', async () => {
  await agent()
  gateway.send('AgentSessionPause', { 'gateway.session_id': 'unknown' })
  gateway.send('AgentSessionResume', { 'gateway.session_id': 'unknown' })
  gateway.send('AgentSessionPause', {})
  await open()
  gateway.send('AgentSessionResume', sid)
  gateway.send('AgentSessionPause', sid)
  gateway.send('AgentSessionPause', sid)
  gateway.send('AgentSessionResume', sid)
  gateway.send('AgentExecWriteStdin', sid, 'echo on')
  expect([await code(), bytes()]).toEqual(['0', 3])
})

it('a gateway that closes the session ends it, with a command that cannot write any more', async () => {
  await agent()
  await paused('yes')
  gateway.send('AgentSessionClose', sid)
  expect(await code()).toBe('143')
})

it('the time limit ends it, and what was written still comes', async () => {
  await agent({ maxDurationMs: 1500 })
  await paused('echo before; exec sleep 1000')
  expect(await code()).toBe('124')
  expect(gateway.of('s1').some(({ payload }) => String(payload) === 'before\n')).toBe(true)
})

it('an agent that stops ends it, and what was written still comes', async () => {
  await agent()
  await paused('echo before; exec sleep 1000')
  running.agent.drain()
  running.agent.stop()
  expect(await code()).toBe('143')
  expect(gateway.of('s1').some(({ payload }) => String(payload) === 'before\n')).toBe(true)
})

it('an agent that stops does not wait for the last output of a command that has ended', async () => {
  await agent()
  using place = new Workplace()
  const file = place.at('pid')
  await paused(`echo all; echo $$ > '${file}.new'; mv '${file}.new' '${file}'; exit 3`)
  await waitFor(() => existsSync(file) && !existsSync(`/proc/${readFileSync(file, 'utf8').trim()}`))
  running.agent.drain()
  running.agent.stop()
  expect([await code(), gateway.of('s1').some(({ payload }) => String(payload) === 'all\n')]).toEqual([
    '3',
    true,
  ])
})

it.each(['terminate', 'finish'] as const)(
  'a lost stream ends the wait: on-disconnect %s',
  async (onDisconnect) => {
    await agent({ life: { timing: quickTiming, onDisconnect } })
    await paused('echo before; exit 3')
    gateway.stream?.end()
    const ended = await found(() => running.entries.find((one) => one.event === 'ended' && one.sid === 's1'))
    expect(ended).toMatchObject({ exitCode: 3, closeSent: false })
  },
)
