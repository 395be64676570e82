#!/usr/bin/env node
// `npm run build && node bench/gateway.mjs`: measures how long the embedded gateway takes to list 10,000 runbooks,
// and to search 100,000 sessions. Measures wall time, so run it on an idle machine.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { Buffer } from 'node:buffer'
import { openHistory } from '../dist/gateway/rooms.js'
import { makeRepository } from './measure/repository.mjs'
import { openSite } from './measure/site.mjs'
import { runFolder } from './run-folder.mjs'
import { percentile } from './samples.mjs'

const RUNBOOKS = 10_000
const SESSIONS = 100_000
const ROUNDS = 20
const DAY_MS = 24 * 60 * 60 * 1000

const folder = runFolder()
await listRunbooks()
querySessions()

async function listRunbooks() {
  const site = await openSite(path.join(folder, 'site'), repository())
  const { HOOP_APIURL: url, HOOP_TOKEN: token } = site.env
  const times = []
  for (let round = 0; round < ROUNDS; round++) times.push(await timed(() => list(url, token)))
  print(`list ${RUNBOOKS} runbooks, the first time`, times.slice(0, 1))
  print(`list ${RUNBOOKS} runbooks, again`, times.slice(1))
  await site.close()
}

async function list(url, token) {
  const answer = await globalThis.fetch(`${url}/api/runbooks?connection_name=sh`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const { repositories } = await answer.json()
  if (repositories[0].items.length !== RUNBOOKS) throw new Error('runbooks are missing in the list')
}

function repository() {
  const place = path.join(folder, 'many')
  return makeRepository(place, (root) => {
    for (let number = 1; number < RUNBOOKS; number++) {
      const room = path.join(root, 'ops', String(number % 20))
      mkdirSync(room, { recursive: true })
      writeFileSync(
        path.join(room, `${number}.runbook.sh`),
        'echo {{ .word | required "word is missing" }}\n',
      )
    }
  })
}

/** Fills the history like a gateway with 50 users on 40 connections in 30 days. */
function querySessions() {
  const history = openHistory(path.join(folder, 'history', 'history.sqlite'))
  const begin = Date.now() - 30 * DAY_MS
  for (let number = 0; number < SESSIONS; number++) fill(history, number, begin)
  const page = { limit: 20, offset: 0 }
  const queries = {
    'the newest sessions': page,
    'those of a user': { ...page, owner: 'user-7' },
    'those on a connection': { ...page, connection: 'connection-7' },
    'those of a user on a connection': { ...page, owner: 'user-7', connection: 'connection-37' },
    'those of a day': { ...page, from: new Date(begin + DAY_MS), to: new Date(begin + 2 * DAY_MS) },
    'page 500': { ...page, offset: 10_000 },
    'those of a pattern': { ...page, connection: '%-3_' },
    'those of a pattern that nothing fits': { ...page, user: '%x%', connection: 'connection%' },
    'those of a type': { ...page, connectionType: 'database' },
    'those of a type, counted exactly': { ...page, connectionType: 'data%', count: 'exact' },
  }
  for (const [name, query] of Object.entries(queries)) {
    const times = []
    for (let round = 0; round < ROUNDS; round++) times.push(timedSync(() => history.list(query)))
    print(`${name}, of ${SESSIONS}`, times)
  }
  history.close()
}

function fill(history, number, begin) {
  const id = `session-${number}`
  const startedAt = new Date(begin + Math.floor((number * 30 * DAY_MS) / SESSIONS))
  history.begin({
    id,
    startedAt,
    origin: 'client-api-runbooks',
    verb: 'exec',
    script: Buffer.from('select 1\n'),
    user: `user-${number % 50}`,
    connection: `connection-${number % 40}`,
    connectionType: 'database',
    labels: { runbookFile: 'ops/one.runbook.sql' },
    metadata: {},
  })
  history.append(id, 'o', Buffer.from('1\n'), 0.01)
  history.finish(id, { exitCode: 0, truncatedBytes: 0, endedAt: new Date(startedAt.getTime() + 1000) })
}

async function timed(work) {
  const before = performance.now()
  await work()
  return performance.now() - before
}

function timedSync(work) {
  const before = performance.now()
  work()
  return performance.now() - before
}

function print(name, times) {
  const [median, slow] = [percentile(times, 50), percentile(times, 95)].map((ms) => ms.toFixed(1).padStart(8))
  process.stdout.write(`${name.padEnd(52)} ${median} ms ${slow} ms p95\n`)
}
