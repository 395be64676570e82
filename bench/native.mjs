#!/usr/bin/env node
// `npm run bench -- native [--rounds 3] [--json]`: PostgreSQL through a port of `connect`, through our own gateway and
// agent, beside the server itself and two plain relays in Node: one that passes on bytes as they come, and one that
// writes each message by itself, as agents do that make a packet of each. None of them uses TLS. Needs psql, pgbench and a PostgreSQL on
// 127.0.0.1:5432 that lets postgres in; makes a role with a database there and drops both.
import { Buffer } from 'node:buffer'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { main } from './program.mjs'
import { runFolder } from './run-folder.mjs'
import { percentile } from './samples.mjs'

const SERVER = { host: '127.0.0.1', port: 5432 }
const PGBENCH_SECONDS = 5
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

const asRelay = process.argv[2] === 'relay'
if (asRelay) relay(process.argv[3] === 'messages')
else await bench()

/** Passes bytes between clients and the server; prints its port. */
function relay(isByMessage) {
  const listening = createServer({ noDelay: true }, (client) => {
    const server = connect({ ...SERVER, noDelay: true })
    client.pipe(server).on('error', () => client.destroy())
    client.on('error', () => server.destroy())
    if (!isByMessage) return void server.pipe(client)
    let rest = Buffer.alloc(0)
    server.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes])
      for (;;) {
        const length = rest.length < 5 ? Infinity : 1 + rest.readUInt32BE(1)
        if (rest.length < length) return
        client.write(rest.subarray(0, length))
        rest = rest.subarray(length)
      }
    })
    server.on('close', () => client.end())
  })
  listening.listen(0, SERVER.host, () => process.stdout.write(`${listening.address().port}\n`))
}

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
    ports['plain relay'] = await portOf(start(children, [fileURLToPath(import.meta.url), 'relay']))
    ports['message by message'] = await portOf(
      start(children, [fileURLToPath(import.meta.url), 'relay', 'messages']),
    )
    ports['own gateway'] = await throughGateway(children, folder, account)
    const figures = await measured(ports, rounds)
    process.stdout.write(json ? `${JSON.stringify(figures)}\n` : table(figures))
  } finally {
    for (const child of children.toReversed()) await ended(child)
    admin(`drop database ${name} with (force)`)
    admin(`drop role ${name}`)
  }
}

/** @returns the port of a `connect` through a gateway and an agent of their own */
async function throughGateway(children, folder, { name, password }) {
  const [token, key] = [randomBytes(24).toString('hex'), `xagt-${randomBytes(24).toString('hex')}`]
  const env = {
    HOST: SERVER.host,
    PORT: String(SERVER.port),
    USER: name,
    PASS: password,
    DB: name,
    SSLMODE: 'disable',
  }
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
  const agent = start(children, [main, 'start'], {
    RUNBOOK_AGENT_KEY: agentKey,
    RUNBOOK_AGENT_RUNTIME_DIR: path.join(folder, 'runtime'),
  })
  await said(agent.stderr, /agent serving/)
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

/** The record of hoop's gateway, which is synced for each packet, ends at 2,000/s. */
function goals(figures) {
  const own = (measure) => figures[measure]['own gateway']
  const rates = Object.keys(measures).filter((measure) => measure.endsWith('20 clients, /s'))
  return [
    ...rates.map(
      (measure) =>
        `${own(measure) > 4000 ? 'reached' : 'MISSED'}: ${measure} above 4000 through the own gateway`,
    ),
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
