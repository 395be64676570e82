#!/usr/bin/env node
// `npm run bench -- native [--rounds 3] [--json]`: measures PostgreSQL through a port of `connect`, our
// gateway and our agent. Compares it with the server itself, and with bench/native-proof.mjs, which does the
// same in plain Node, with all available messages in one packet, or with one message per packet. TLS is not
// used. A round takes about a minute. Needs psql, pgbench and a PostgreSQL on 127.0.0.1:5432 that accepts the
// user postgres. Creates a role and a database there, and drops both.
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { fileURLToPath, URL } from 'node:url'
import { parseArgs } from 'node:util'
import { main } from './program.mjs'
import { runFolder } from './run-folder.mjs'
import { percentile } from './samples.mjs'

const SERVER = { host: '127.0.0.1', port: 5432 }
const PGBENCH_SECONDS = 3
const proof = fileURLToPath(new URL('native-proof.mjs', import.meta.url))
const BIG = "select repeat('x', 1000) from generate_series(1, 20000)"

const measures = {
  'select 1, 1 client, /s': (port) => pgbench(port, ['-c', '1']),
  'select 1, 20 clients, /s': (port) => pgbench(port, ['-c', '20']),
  'prepared, 4 clients, /s': (port) => pgbench(port, ['-c', '4', '-M', 'prepared']),
  'result of 20 MB, ms': (port) => timed([psql(port, BIG)]),
  '20 psql at once, ms': (port) => timed(Array.from({ length: 20 }, () => psql(port, 'select 1'))),
  'COPY in of 20 MB, ms': (port) => timed([psql(port, 'truncate c; copy c from stdin', copied)]),
}
const copied = `${'y'.repeat(999)}\n`.repeat(20_000)

await bench()

async function bench() {
  const { rounds, json } = options()
  const folder = runFolder()
  const name = `runbook_bench_${process.pid}_${randomBytes(4).toString('hex')}`
  const account = { name, password: randomBytes(12).toString('hex') }
  admin(`create role ${name} login password '${account.password}'`)
  admin(`create database ${name} owner ${name} template template0`)
  Object.assign(process.env, {
    PGUSER: name,
    PGPASSWORD: account.password,
    PGDATABASE: name,
    PGHOST: SERVER.host,
    PGSSLMODE: 'disable',
  })
  const children = []
  try {
    await psql(SERVER.port, 'create table c (t text)')()
    writeFileSync(path.join(folder, 'one.sql'), 'select 1;\n')
    process.chdir(folder)
    const ports = { direct: SERVER.port }
    ports.proof = await throughProof(children, 'joined')
    ports['proof, 1 message'] = await throughProof(children, 'messages')
    ports['own agent'] = await throughOwnAgent(children, folder, account)
    ports['own gateway'] = await throughGateway(children, folder, account)
    const figures = await measured(ports, rounds)
    process.stdout.write(json ? `${JSON.stringify(figures)}\n` : table(figures))
  } finally {
    for (const child of children.toReversed()) await ended(child)
    admin(`drop database ${name} with (force)`)
    admin(`drop role ${name}`)
  }
}

/** @param way whether the agent joins messages @returns the port of the proof's client */
async function throughProof(children, way) {
  const role = (...args) => portOf(start(children, [proof, ...args]))
  const gateway = await role('gateway', way)
  await role('agent', way, gateway, SERVER.port)
  return role('client', way, gateway)
}

/** @returns the port of the proof's client, with our own agent behind the proof's gateway */
async function throughOwnAgent(children, folder, account) {
  const TARGET = JSON.stringify(targetOf(account))
  const gateway = await portOf(start(children, [proof, 'gateway', 'own'], { TARGET }))
  const key = `grpc://local:xagt-of-the-bench@${SERVER.host}:${gateway}?mode=standard`
  await startAgent(children, key, path.join(folder, 'runtime-of-proof'))
  return portOf(start(children, [proof, 'client', 'own', gateway]))
}

function targetOf({ name, password }) {
  const { host, port } = SERVER
  return { HOST: host, PORT: String(port), USER: name, PASS: password, DB: name, SSLMODE: 'disable' }
}

async function startAgent(children, key, runtime) {
  const env = { RUNBOOK_AGENT_KEY: key, RUNBOOK_AGENT_RUNTIME_DIR: runtime }
  const agent = start(children, [main, 'start'], env)
  await said(agent.stderr, /agent serving/)
}

/** @returns the port of a `connect` through a separate gateway and agent */
async function throughGateway(children, folder, account) {
  const [token, key] = [randomBytes(24).toString('hex'), `xagt-${randomBytes(24).toString('hex')}`]
  const env = targetOf(account)
  const pg = { name: 'pg', agent: 'local', type: 'database', subtype: 'postgres', command: ['psql'], env }
  const settings = {
    listen: { http: '127.0.0.1:0', grpc: '127.0.0.1:0' },
    state: path.join(folder, 'state'),
    agents: [{ name: 'local', key }],
    users: [{ name: 'admin', token, groups: ['admin'] }],
    connections: [pg],
  }
  writeFileSync(path.join(folder, 'gateway.yaml'), JSON.stringify(settings), { mode: 0o600 })
  const gateway = start(children, [main, 'gateway', '--json', '--config', 'gateway.yaml'])
  const { http, grpc } = JSON.parse(await said(gateway.stdout, /^\{.*\}$/m))
  const agentKey = `grpc://local:${key}@${grpc.replace('grpc://', '')}?mode=standard`
  await startAgent(children, agentKey, path.join(folder, 'runtime'))
  const client = start(children, [main, 'connect', 'pg', '--port', '0', '--json'], {
    HOOP_APIURL: http,
    HOOP_TOKEN: token,
  })
  return JSON.parse(await said(client.stderr, /^\{.*listening.*\}$/m)).port
}

async function measured(ports, rounds) {
  const samples = {}
  for (let round = 1; round <= rounds; round++)
    for (const [measure, run] of Object.entries(measures))
      for (const [contestant, port] of Object.entries(ports)) {
        process.stderr.write(`round ${round} of ${rounds}: ${measure}, ${contestant}\n`)
        ;((samples[measure] ??= {})[contestant] ??= []).push(await run(port))
      }
  for (const of of Object.values(samples))
    for (const one of Object.keys(of)) of[one] = percentile(of[one], 50)
  return samples
}

function table(figures) {
  const contestants = Object.keys(Object.values(figures)[0])
  const rows = Object.entries(figures).map(([measure, of]) => [
    measure,
    ...contestants.map((one) => of[one].toFixed(0)),
  ])
  const lines = [['', ...contestants], ...rows].map(([first, ...rest]) =>
    [first.padEnd(26), ...rest.map((cell) => cell.padStart(20))].join(''),
  )
  return `${lines.join('\n')}\n\n${goals(figures).join('\n')}\n`
}

/**
 * Compares our agent with the proof: equal rates, and a large result in less than half the time of one message per
 * packet.
 */
function goals(figures) {
  const ratio = (measure, of) => figures[measure]['own agent'] / figures[measure][of]
  const verdict = (isReached, text) => `${isReached ? 'reached' : 'MISSED'}: ${text}`
  const rates = Object.keys(measures).filter((measure) => measure.startsWith('select 1'))
  const big = ratio('result of 20 MB, ms', 'proof, 1 message')
  const most = figures['select 1, 20 clients, /s']['own gateway']
  return [
    ...rates.map((measure) => {
      const rate = ratio(measure, 'proof')
      return verdict(rate >= 1, `${measure}: ${rate.toFixed(2)} of the proof's, at least 1`)
    }),
    verdict(
      big <= 0.45,
      `20 MB in ${big.toFixed(2)} of the time of one message a packet, at most 0.9 of its half`,
    ),
    // hoop's gateway syncs its record after each packet.
    verdict(most > 4000, `20 clients: ${most.toFixed(0)}/s, well above the 2000/s where hoop's gateway ends`),
  ]
}

async function pgbench(port, args) {
  const out = await run('pgbench', [
    '-n',
    '-p',
    port,
    '-T',
    PGBENCH_SECONDS,
    '-f',
    'one.sql',
    '-j',
    2,
    ...args,
  ])()
  return Number(/tps = ([\d.]+)/.exec(out)?.[1])
}

function psql(port, sql, input) {
  return run('psql', ['-X', '-q', '-p', port, '-c', sql, '-o', '/dev/null'], input)
}

async function timed(runs) {
  const from = performance.now()
  await Promise.all(runs.map((one) => one()))
  return performance.now() - from
}

function run(program, args, input = '') {
  return () =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args.map(String))
      let out = ''
      child.stdout.on('data', (text) => (out += text))
      child.stderr.on('data', (text) => (out += text))
      child.on('error', reject)
      child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`${program}: ${out}`))))
      child.stdin.on('error', () => undefined).end(input)
    })
}

function start(children, args, env = {}) {
  const { PATH } = process.env
  const child = spawn(process.execPath, args, { env: { PATH, HOME: process.cwd(), ...env } })
  children.push(child)
  return child
}

async function portOf(child) {
  return Number(await said(child.stdout, /^\d+$/m))
}

function said(stream, pattern) {
  return new Promise((resolve, reject) => {
    let text = ''
    stream.on('data', (bytes) => {
      text += bytes
      const found = pattern.exec(text)
      if (found !== null) resolve(found[0])
    })
    stream.on('end', () => reject(new Error(`ended without ${pattern}: ${text}`)))
  })
}

async function ended(child) {
  if (child.exitCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

function admin(sql) {
  execFileSync('psql', ['-X', '-q', '-h', SERVER.host, '-U', 'postgres', '-d', 'postgres', '-c', sql])
}

function options() {
  const known = { rounds: { type: 'string', default: '3' }, json: { type: 'boolean', default: false } }
  const { rounds, json } = parseArgs({ options: known }).values
  return { rounds: Number(rounds), json }
}
