#!/usr/bin/env node
// `npm run build && node bench/team.mjs [--minutes 10] [--rate 1000]`: simulates a team. Ten users run a
// runbook, together `--rate` times per minute, and follow every second run live. Meanwhile another user
// searches the history, and an eleventh user runs the runbook from time to time. All outputs and the history
// are checked. Run it on an idle machine.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { clearInterval, setInterval } from 'node:timers'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs, TextDecoder } from 'node:util'
import { Buffer } from 'node:buffer'
import { makeRepository, RUNBOOK } from './measure/repository.mjs'
import { openSite } from './measure/site.mjs'
import { runFolder } from './run-folder.mjs'
import { percentile } from './samples.mjs'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, rate: { type: 'string', default: '1000' } },
})
const MINUTES = Number(values.minutes)
const PER_MINUTE = Number(values.rate)
const USERS = Array.from({ length: 10 }, (_, number) => `user-${number}`)
const OTHER = 'other'
const IDLE_RUNS = 100
const OTHER_MS = 1000
const SEARCH_MS = 250
const MEMORY_MS = 5000
const SEARCHES = ['limit=20', 'user=user-7&limit=50', 'connection=sh&offset=1000', 'type=custom&limit=100']
let searched = 0

const folder = runFolder()
const site = await openSite(path.join(folder, 'site'), makeRepository(path.join(folder, 'books')), [
  ...USERS,
  OTHER,
])
const faults = []
const idle = await idleTimes()
const load = await underLoad()
await compareWithHistory(load.asked)
report()
await site.close()
process.exitCode = faults.length === 0 ? 0 : 1

async function idleTimes() {
  const times = []
  for (let number = 0; number < IDLE_RUNS + 20; number++) {
    const ms = await timed(() => run(OTHER))
    if (number >= 20) times.push(ms)
  }
  return times
}

/** Starts runs by the clock, even if earlier runs have not ended, so that a slow gateway gets the same load. */
async function underLoad() {
  const figures = { asked: new Map(), run: [], other: [], search: [], gateway: [], agent: [] }
  const going = new Set()
  const every = (ms, work) => setInterval(() => void keep(going, work()), ms)
  const userMs = (60_000 / PER_MINUTE) * USERS.length
  const timers = []
  for (const [index, user] of USERS.entries()) {
    let number = 0
    await delay(userMs / USERS.length)
    timers.push(
      every(userMs, async () => {
        figures.asked.set(user, (figures.asked.get(user) ?? 0) + 1)
        const follows = (number++ + index) % 2 === 0
        figures.run.push(await timed(() => (follows ? runAndFollow(user) : run(user))))
      }),
    )
  }
  timers.push(every(OTHER_MS, async () => figures.other.push(await timed(() => run(OTHER)))))
  timers.push(every(SEARCH_MS, async () => figures.search.push(await timed(search))))
  timers.push(every(MEMORY_MS, async () => noteMemory(figures)))
  await delay(MINUTES * 60_000)
  for (const timer of timers) clearInterval(timer)
  await Promise.all(going)
  return figures
}

async function keep(going, work) {
  const told = work.catch((error) => faults.push(String(error)))
  going.add(told)
  await told
  going.delete(told)
}

async function run(user) {
  const word = randomUUID()
  const answer = await ask(user, 'POST', execPath(), { file_name: RUNBOOK, parameters: { word } })
  const { output, exit_code: code } = await answer.json()
  if (output !== `${word}\n` || code !== 0) throw new Error(`${answer.status}: ${code} ${output}`)
}

async function runAndFollow(user) {
  const word = randomUUID()
  const body = { file_name: RUNBOOK, parameters: { word } }
  const started = await ask(user, 'POST', execPath(), body, { prefer: 'respond-async' })
  const { session_id: sid } = await started.json()
  const stream = await ask(user, 'GET', `/api/sessions/${sid}/stream`)
  let text = ''
  const decoder = new TextDecoder()
  for await (const piece of stream.body) text += decoder.decode(piece, { stream: true })
  const output = [...text.matchAll(/^data: (\{.*"payload".*\})$/gm)]
    .map(([, data]) => JSON.parse(data))
    .filter(({ type }) => type === 'o')
    .map(({ payload }) => Buffer.from(payload, 'base64').toString())
    .join('')
  if (output !== `${word}\n` || !text.includes('event: session_end')) throw new Error(`followed: ${text}`)
}

async function search() {
  const query = SEARCHES[searched++ % SEARCHES.length]
  const answer = await ask('bench', 'GET', `/api/sessions?${query}`)
  if (answer.status !== 200) throw new Error(`${query}: ${answer.status}`)
  await answer.json()
}

/** Checks that each user has as many sessions as requested, and that all sessions have succeeded. */
async function compareWithHistory(asked) {
  for (const [user, count] of asked) {
    const answer = await ask(user, 'GET', `/api/sessions?user=${user}&limit=1&count=exact`)
    const { total } = await answer.json()
    if (total !== count) faults.push(`${user} has ${total} sessions in the history, and asked for ${count}`)
  }
}

function execPath() {
  return '/api/plugins/runbooks/connections/sh/exec'
}

function ask(user, method, place, body, headers = {}) {
  return globalThis.fetch(`${site.env.HOOP_APIURL}${place}`, {
    method,
    headers: {
      authorization: `Bearer ${site.tokens.get(user)}`,
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  })
}

function noteMemory(figures) {
  for (const name of ['gateway', 'agent']) {
    const status = readFileSync(`/proc/${site.processes[name]}/status`, 'utf8')
    figures[name].push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024)
  }
}

async function timed(work) {
  const before = performance.now()
  await work()
  return performance.now() - before
}

function report() {
  const asked = [...load.asked.values()].reduce((sum, count) => sum + count, 0)
  print('executions, checked', asked)
  print('idle, p50 / p95', ...both(idle))
  print('the same user under load, p50 / p95', ...both(load.other))
  print('p95 under load, to the idle one', percentile(load.other, 95) / percentile(idle, 95), 'x')
  print('executions of the ten, p50 / p95', ...both(load.run))
  print('searches of the history, p50 / p95', ...both(load.search))
  for (const name of ['gateway', 'agent']) {
    const third = Math.ceil(load[name].length / 3)
    const [first, last] = [load[name].slice(third, 2 * third), load[name].slice(2 * third)]
    print(`memory of the ${name}, second and last third`, percentile(first, 50), 'MB', percentile(last, 50))
  }
  print('faults', faults.length, faults.slice(0, 5).join('; '))
}

function both(times) {
  return [percentile(times, 50), 'ms', percentile(times, 95)]
}

function print(name, value = NaN, unit = '', second) {
  const more = second === undefined ? '' : ` ${second.toFixed(1).padStart(8)} ${unit}`
  process.stdout.write(`${name.padEnd(48)} ${value.toFixed(1).padStart(8)} ${unit}${more}\n`)
}
