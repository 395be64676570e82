#!/usr/bin/env node
// `npm run test:mutation -- [--only FOLDER,FOLDER] [--seed N] [--count N] [--minutes M]`: which changes of the code no
// test notices.
import { createHash, randomInt } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath, URL } from 'node:url'
import { parseArgs } from 'node:util'
import { mutantsOf } from './mutants.mjs'
import { checkApart, Scratch } from './scratch.mjs'

const ROOMS = [
  'src/gateway/reviews',
  'src/gateway/people',
  'src/policy',
  'src/agent/output',
  'src/agent/opening',
  'src/runtime',
]

/**
 * Tests that look at a folder from outside. Those of the built program are not among them: a mutant would have to be
 * built.
 */
const USERS = {
  'src/gateway/reviews': ['gateway/batches/approval.test.ts', 'gateway/rest/access.test.ts'],
  'src/gateway/people': ['gateway/rest/access.test.ts', 'gateway/rest/page/sign-in.test.ts'],
  'src/policy/client-escapes': ['agent/opening/client-escapes.test.ts'],
  'src/policy/guardrails': ['agent/running/guardrails.test.ts'],
  'src/policy/masking': ['agent/masking'],
  'src/policy/redaction': ['agent/output'],
  'src/agent/output': ['agent/paused-output.test.ts', 'agent/session.test.ts'],
  'src/agent/opening': ['agent/running', 'agent/session.test.ts'],
  'src/runtime': ['agent/session.test.ts', 'agent/terminal.test.ts'],
}

/** How many times as long as without a mutant its tests may take, and what a busy machine adds. */
const TIMES_LONGER = 3
const ADDED_MS = 30_000

const root = fileURLToPath(new URL('../..', import.meta.url))
const equivalents = JSON.parse(readFileSync(new URL('equivalent.json', import.meta.url), 'utf8'))
const baselines = new Map()
let stopped = false

const { only, seed, count, minutes } = options()
const until = performance.now() + minutes * 60_000
try {
  checkApart()
} catch (error) {
  fail(error.message)
}
say(`seed ${seed}, ${count} mutants a room`)
const scratch = new Scratch(root)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop)
try {
  await scratch.build()
  await run()
} finally {
  scratch.remove()
}

async function run() {
  const figures = {}
  for (const room of only.length > 0 ? only : ROOMS) {
    const all = filesBelow(room).flatMap((file) => mutantsOf(file, scratch.read(file)))
    if (all.length === 0) continue
    nameStale(all)
    const chosen = shuffled(all).slice(0, count)
    const row = (figures[room] = { mutants: all.length, tried: 0, killed: 0, survived: 0, equivalent: 0 })
    for (const mutant of chosen) {
      if (stopped || performance.now() > until) break
      const verdict = await verdictOn(mutant)
      if (stopped) break
      row[verdict]++
      row.tried++
    }
  }
  console.table(figures)
  const isClean = Object.values(figures).every(({ survived }) => survived === 0)
  if (stopped || !isClean) process.exitCode = 1
}

async function verdictOn(mutant) {
  const { file, line, operator, before, after } = mutant
  const place = `${file}:${line} ${operator}\n      ${before}\n   -> ${after}`
  const known = equivalents.find((one) => isSame(one, mutant))
  if (known !== undefined) return 'equivalent'
  const why = await killerOf(mutant)
  if (!stopped) say(why === undefined ? `SURVIVED ${place}` : `killed   ${place}\n   by ${why}`)
  return why === undefined ? 'survived' : 'killed'
}

/** @returns what has failed; undefined where all tests pass */
async function killerOf({ file, text }) {
  for (const tests of tiersOf(file)) {
    const usual = await usualTimes(tests)
    if (usual === undefined) continue
    const original = scratch.read(file)
    scratch.write(file, text)
    try {
      const { passed, why } = await scratch.test(
        nearestFirst(tests, file, usual.times),
        usual.ms * TIMES_LONGER + ADDED_MS,
      )
      if (!passed) return why
    } finally {
      scratch.write(file, original)
    }
  }
  return undefined
}

/**
 * Tests of the folders that mirror the file's own, inside out, then those of others that use it, and those of the
 * room's other folders: a file beside folders has its tests in them.
 */
function tiersOf(file) {
  const room = ROOMS.find((one) => file.startsWith(`${one}/`))
  const tiers = []
  for (let folder = path.dirname(file); `${folder}/`.startsWith(`${room}/`); folder = path.dirname(folder))
    tiers.push(scratch.testsIn(mirrored(folder)))
  const users = Object.entries(USERS).filter(([folder]) => file.startsWith(`${folder}/`))
  tiers.push(users.flatMap(([, tests]) => tests.flatMap((name) => scratch.testsOf(`test/${name}`))))
  const run = new Set(tiers.flat())
  tiers.push(scratch.testsOf(mirrored(room)).filter((name) => !run.has(name)))
  return tiers.filter((tests) => tests.length > 0)
}

/** The file's own test, then those that import the file, then the others, of each kind the shortest first. */
function nearestFirst(tests, file, times) {
  const own = mirrored(file).replace(/\.ts$/, '.test.ts')
  const distanceOf = (test) => (test === own ? 0 : scratch.read(test).includes(`/${file}'`) ? 1 : 2)
  const keyOf = (test) => [distanceOf(test), times.get(test) ?? 0]
  return tests
    .map((test) => [keyOf(test), test])
    .sort(([[far, ms]], [[otherFar, otherMs]]) => far - otherFar || ms - otherMs)
    .map(([, test]) => test)
}

function mirrored(name) {
  return name.replace(/^src\//, 'test/')
}

/** How long tests take without a mutant; undefined where they fail by themselves, so that they show nothing. */
async function usualTimes(tests) {
  const key = tests.join()
  if (!baselines.has(key)) {
    const { passed, ms, why, times } = await scratch.test(tests, 600_000)
    baselines.set(key, passed ? { ms, times } : undefined)
    if (passed) say(`${key}: ${Math.round(ms / 1000)} s without a mutant`)
    else if (!stopped) fails(key, why)
  }
  return baselines.get(key)
}

function fails(tests, why) {
  say(`LEFT OUT ${tests}: without a mutant ${why}`)
  process.exitCode = 1
}

function nameStale(all) {
  const files = new Set(all.map(({ file }) => file))
  const stale = equivalents.filter((one) => files.has(one.file) && !all.some((mutant) => isSame(one, mutant)))
  for (const { file, before } of stale)
    say(`equivalent.json names what is not there any more: ${file}: ${before}`)
  if (stale.length > 0) process.exitCode = 1
}

function isSame(one, { file, before, after }) {
  return one.file === file && one.before === before && one.after === after
}

function filesBelow(room) {
  if (room.endsWith('.ts')) return [room]
  return readdirSync(path.join(root, room), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${room}/${name}`)
    .sort()
}

/** The order follows from the seed and each mutant alone: a change of one file leaves that of the others. */
function shuffled(mutants) {
  const keyOf = ({ file, before, after }, index) =>
    createHash('sha256').update(`${seed} ${file} ${before} ${after} ${index}`).digest('hex')
  return mutants
    .map((mutant, index) => [keyOf(mutant, index), mutant])
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, mutant]) => mutant)
}

function stop() {
  stopped = true
  scratch.stop()
}

function say(line) {
  process.stdout.write(`${line}\n`)
}

function fail(message) {
  process.stderr.write(`test:mutation: ${message}\n`)
  process.exit(64)
}

function options() {
  const text = { type: 'string' }
  try {
    const { only = '', ...given } = parseArgs({
      options: { only: text, seed: text, count: text, minutes: text },
    }).values
    const numbers = { seed: String(randomInt(1_000_000_000)), count: '40', minutes: '60', ...given }
    for (const [name, value] of Object.entries(numbers))
      if (!/^[1-9]\d{0,9}$/.test(value)) throw new Error(`--${name} must be a whole number from 1 on`)
    const folders = only
      .split(',')
      .filter(Boolean)
      .map((name) => name.replace(/\/+$/, ''))
    for (const name of folders)
      if (!ROOMS.some((room) => `${name}/`.startsWith(`${room}/`)))
        throw new Error(`--only ${name} is in none of ${ROOMS.join(', ')}`)
    return {
      only: folders,
      seed: numbers.seed,
      count: Number(numbers.count),
      minutes: Number(numbers.minutes),
    }
  } catch (error) {
    return fail(error.message)
  }
}
