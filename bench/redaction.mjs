#!/usr/bin/env node
// `npm run build && node bench/redaction.mjs`: measures how fast secrets are replaced in output, and the cost of this
// at the start of a session. Measures CPU time, which other load hardly affects.
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import process from 'node:process'
import { Redaction } from '../dist/policy/redaction/redactor.js'
import { secretTexts } from '../dist/policy/redaction/secrets.js'
import { variantsOf } from '../dist/policy/redaction/secrets.js'
import { logLines } from './log-lines.mjs'
import { percentile } from './samples.mjs'

const CHUNK_BYTES = 64 * 1024
const MIB = 1024 ** 2
const ROUNDS = 5

const SECRETS = [
  'hunter2hunter2',
  'p@ssw0rd!',
  'Tr0ub4dor&3 correct horse',
  'postgres://app:s3cr3t-p%40ss@db.internal:5432/app?sslmode=require',
  'wJa1rXUtnFEMI/K7MDENG/bPxRfiCYSAMPLES+',
  ...[16, 20, 24, 32].map((bytes) => randomBytes(bytes).toString('base64')),
  randomBytes(32).toString('hex'),
].map((secret) => Buffer.from(secret))

const tenSecrets = textsOf(SECRETS)
const threeSecrets = textsOf(SECRETS.slice(0, 3))
const manyTexts = textsOf(Array.from({ length: 2500 }, () => Buffer.from(randomBytes(12).toString('base64'))))
const tenThousand = manyTexts.slice(0, 10_000)
const log = logLines(8 * MIB)
const letters = Buffer.alloc(MIB, 'a')

print('10 secrets, log lines', throughput(tenSecrets, log))
print('10 secrets, log lines, one of 120 bytes a secret', throughput(tenSecrets, sprinkled(log)))
print('10 secrets, base64', throughput(tenSecrets, Buffer.from(randomBytes(6 * MIB).toString('base64'))))
print('10 secrets, binary', throughput(tenSecrets, randomBytes(8 * MIB)))
print('3 secrets, log lines', throughput(threeSecrets, log))
print('10,000 texts, log lines', throughput(tenThousand, log))
print('worst case: a secret of 16 a, only a', throughput([Buffer.alloc(16, 'a')], letters))
print('worst case: a secret of 1 MiB a, only a', throughput([letters], letters))
print(
  'worst case: 10,000 texts aaa...b, only a',
  throughput(
    Array.from({ length: 10_000 }, (_, n) => Buffer.from(`${'a'.repeat(n + 6)}b`)),
    letters,
  ),
)
print(
  'variants of 3 secrets',
  milliseconds(() => textsOf(SECRETS.slice(0, 3))),
)
print('compile 3 secrets', compile(threeSecrets))
print('compile 10 secrets', compile(tenSecrets))
print('compile 10,000 texts', compile(tenThousand))

function textsOf(secrets) {
  return secrets.flatMap(secretTexts).flatMap(variantsOf)
}

/** @returns {{ value: number, unit: string }} the median of some rounds */
function throughput(texts, data) {
  const redaction = new Redaction(texts)
  const rounds = Array.from(
    { length: ROUNDS },
    () => data.length / 1e6 / (cpuMsOf(() => push(redaction, data)) / 1000),
  )
  return { value: percentile(rounds, 50), unit: 'MB/s' }
}

function push(redaction, data) {
  const redactor = redaction.stream()
  for (let at = 0; at < data.length; at += CHUNK_BYTES) redactor.push(data.subarray(at, at + CHUNK_BYTES))
  redactor.end()
}

function compile(texts) {
  return milliseconds(() => new Redaction(texts).stream().push(Buffer.from('x')))
}

/** Measures many runs together, because one run is too short for the clock. */
function milliseconds(work) {
  work()
  const runs = Math.max(1, Math.ceil(200 / Math.max(cpuMsOf(work), 0.1)))
  const ms = cpuMsOf(() => {
    for (let n = 0; n < runs; n++) work()
  })
  return { value: ms / runs, unit: 'ms' }
}

function cpuMsOf(work) {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function sprinkled(data) {
  const pieces = []
  for (let at = 0; at < data.length; at += 120) {
    const secret = SECRETS[(at / 120) % SECRETS.length]
    pieces.push(data.subarray(at, at + Math.max(0, 120 - secret.length)), secret)
  }
  return Buffer.concat(pieces)
}

function print(name, { value, unit }) {
  const digits = value < 10 ? 3 : 0
  process.stdout.write(`${name.padEnd(52)} ${value.toFixed(digits).padStart(8)} ${unit}\n`)
}
