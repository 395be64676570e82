#!/usr/bin/env node
// `npm run build && node bench/guardrails.mjs`: measures how fast guardrail rules scan output, how long they block
// other work at most, and their cost at the start of a session. Measures CPU time, which other load hardly affects.
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import process from 'node:process'
import { setImmediate } from 'node:timers'
import { compileRules } from '../dist/policy/guardrails/compile-rules.js'
import { GuardedStream } from '../dist/policy/guardrails/guarded-stream.js'
import { logLines } from './log-lines.mjs'
import { percentile } from './samples.mjs'

const CHUNK_BYTES = 64 * 1024
const MIB = 1024 ** 2
const ROUNDS = 5

const words = (...list) => ({ type: 'deny_words_list', words: list, pattern: '', message: '' })
const pattern = (text) => ({ type: 'pattern_match', words: [], pattern: text, message: '' })

const TWENTY = [
  words('DROP TABLE', 'TRUNCATE', 'DROP INDEX', 'DROP VIEW'),
  words('GRANT', 'REVOKE', 'CREATE TABLE', 'LOCK TABLE', 'SET PASSWORD'),
  words('BEGIN RSA PRIVATE KEY', 'BEGIN OPENSSH PRIVATE KEY', 'BEGIN PRIVATE KEY'),
  words('xp_cmdshell', 'sp_configure', 'OPENROWSET'),
  words('top secret', 'streng geheim', 'très secret'),
  words('dropDatabase', '.drop(', 'db.eval', '$where', 'mapReduce'),
  words('kubectl delete namespace', 'terraform destroy'),
  words('password=', 'passwd=', 'pwd='),
  words('ssn:', 'iban:'),
  words('SHUTDOWN', 'STARTUP FORCE'),
  pattern('\\b\\d{3}-\\d{2}-\\d{4}\\b'),
  pattern('(?i)\\b(AKIA[0-9A-Z]{16}|aws_secret_access_key\\s*=\\s*\\S+)\\b'),
  pattern('(?i)(rm\\s+(-[a-z]*r[a-z]*f|-[a-z]*f[a-z]*r)[a-z]*\\s+/(\\s|$)|\\bmkfs(\\.|\\s))'),
  pattern('(?im)^\\s*(update|delete)\\s+from\\b'),
  pattern('eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}\\.'),
  pattern('(?i)\\bbearer\\s+[a-z0-9._-]{20,}'),
  pattern('\\b4\\d{3}([ -]?\\d{4}){3}\\b'),
  pattern('(?i)\\bLOAD\\s+DATA\\s+(LOCAL\\s+)?INFILE\\b'),
  pattern('ghp_[0-9A-Za-z]{36}'),
  pattern('[A-Za-z0-9._%+-]+@intern\\.example\\.com'),
]

const log = logLines(8 * MIB)
const hostile = [pattern('(?s)[ab]*a.{900}c'), pattern('(x+x+)+y'), pattern('(?i)(\\w+\\s*){50}!')]

await print('20 rules, log lines', throughput(TWENTY, log))
await print('20 rules, base64', throughput(TWENTY, Buffer.from(randomBytes(6 * MIB).toString('base64'))))
await print(
  '20 rules, text beyond ASCII',
  throughput(TWENTY, Buffer.from('Größe 数据库 ε=0,5 данные '.repeat(200_000))),
)
await print('20 rules, binary', throughput(TWENTY, randomBytes(2 * MIB)))
await print('one word, log lines', throughput(TWENTY.slice(0, 1), log))
await print('a list of 10,000 words, log lines', throughput([words(...manyWords(10_000))], log))
await print('worst case: hostile patterns and text', throughput(hostile, hostileText(16 * 1024)))
await print('worst case: longest turn of the event loop', longestTurn(hostile, hostileText(16 * 1024)))
await print('compile 20 rules', compile(TWENTY))

async function throughput(rules, data) {
  const compiled = await compileRules([{ rules }])
  const rounds = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = cpuMs()
    await push(compiled, data)
    rounds.push(data.length / 1000 / (cpuMs() - before))
  }
  return { value: percentile(rounds, 50), unit: 'MB/s' }
}

async function push(compiled, data) {
  const stream = new GuardedStream(compiled, { isInteractive: false })
  for (let at = 0; at < data.length; at += CHUNK_BYTES) {
    const passed = stream.push(data.subarray(at, at + CHUNK_BYTES))
    if (passed instanceof Promise) await passed
  }
  stream.end()
}

/** Returns the longest CPU time between two turns of the event loop. */
async function longestTurn(rules, data) {
  const compiled = await compileRules([{ rules }])
  let [last, longest, isOver] = [cpuMs(), 0, false]
  const tick = () => {
    const now = cpuMs()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(tick)
  }
  setImmediate(tick)
  await push(compiled, data)
  await compiled.check(data)
  isOver = true
  return { value: longest, unit: 'ms' }
}

function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function compile(rules) {
  const runs = 50
  const before = cpuMs()
  for (let run = 0; run < runs; run++) await compileRules([{ rules }])
  return { value: (cpuMs() - before) / runs, unit: 'ms' }
}

function manyWords(count) {
  return Array.from({ length: count }, (_, n) => `word-${((n * 2654435761) % 2 ** 32).toString(36)}`)
}

/** Returns pseudorandom letters, the same each time. */
function hostileText(bytes) {
  let state = 1
  const next = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff)
  return Buffer.from(Array.from({ length: bytes }, () => 'abx'[(next() >>> 16) % 3]).join(''))
}

async function print(name, measured) {
  const { value, unit } = await measured
  process.stdout.write(`${name.padEnd(52)} ${value.toFixed(value < 10 ? 2 : 0).padStart(8)} ${unit}\n`)
}
