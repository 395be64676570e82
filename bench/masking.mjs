#!/usr/bin/env node
// `npm run build && node bench/masking.mjs`: measures how fast the local engine masks output, and how long it blocks
// other work at most. Measures CPU time, which other load hardly affects.
import { Buffer } from 'node:buffer'
import process from 'node:process'
import { MaskedStream } from '../dist/policy/masking/masked-stream.js'
import { Masking } from '../dist/policy/masking/masking.js'
import { EVERYTHING } from '../dist/policy/masking/rules.js'
import { logLines } from './log-lines.mjs'
import { percentile } from './samples.mjs'

const CHUNK_BYTES = 64 * 1024
const MIB = 1024 ** 2
const ROUNDS = 5

const TEN = [
  ...['EMAIL_ADDRESS', 'PHONE_NUMBER', 'CREDIT_CARD', 'IBAN_CODE', 'IP_ADDRESS'],
  ...['URL', 'DATE_TIME', 'CRYPTO', 'US_SSN', 'BR_CPF'],
]
const ten = masking(TEN)
const all = masking(undefined)
const log = logLines(4 * MIB)
const prose = repeated(
  'The quick brown fox jumps over the lazy dog, and nothing here is of interest.\n',
  4 * MIB,
)
const findings = repeated('ann@example.com 10.1.2.3\n', MIB)

await print('10 types, log lines', ten, log)
await print('10 types, log lines without addresses', ten, withoutAddresses(log))
await print('10 types, prose', ten, prose)
await print('10 types, nothing but findings', ten, findings)
await print('51 types, log lines', all, log)
await print('worst case: 10 types, one line of a', ten, repeated('a', MIB))
await print('worst case: 51 types, one line of a.', all, repeated('a.', MIB))
await print('worst case: 51 types, digits', all, repeated('1234567890123 ', MIB))

function masking(entities) {
  return new Masking({ ...EVERYTHING, entities, threshold: 0.5 })
}

function repeated(text, bytes) {
  return Buffer.from(text.repeat(Math.ceil(bytes / text.length))).subarray(0, bytes)
}

function withoutAddresses(lines) {
  return Buffer.from(lines.toString().replaceAll('@example.com', ''))
}

async function print(name, rules, data) {
  const [rates, turns] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    const before = cpuMs()
    turns.push(await mask(rules, data))
    rates.push(data.length / 1000 / (cpuMs() - before))
  }
  const [rate, turn] = [percentile(rates, 50).toFixed(1), percentile(turns, 50).toFixed(1)]
  process.stdout.write(`${name.padEnd(44)} ${rate.padStart(6)} MB/s, longest turn ${turn.padStart(5)} ms\n`)
}

/** @returns {Promise<number>} the longest CPU time in ms before other work gets a turn */
async function mask(rules, data) {
  const stream = new MaskedStream(rules)
  let longest = 0
  for (let at = 0; at < data.length; at += CHUNK_BYTES) {
    const before = cpuMs()
    const masked = stream.push(data.subarray(at, at + CHUNK_BYTES))
    longest = Math.max(longest, cpuMs() - before)
    if (masked instanceof Promise) await masked
  }
  await stream.end()
  return longest
}

function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
