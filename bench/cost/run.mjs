#!/usr/bin/env node
// `node bench/cost/run.mjs calls|memory [--write]`: counts the cost of one execution in the agent, and compares the
// counts with baseline.json. Fails with a table if a count grew by 5 % or more. `--write` stores the counts as
// baseline. `--missing` prints why this machine cannot count.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import process from 'node:process'
import { URL } from 'node:url'
import { runFolder } from '../run-folder.mjs'
import { countCalls } from './calls.mjs'
import { countMemory } from './memory.mjs'

const GROWN = 1.05
/**
 * Smaller differences are random, because Node allocates small buffers in pieces of 8 KiB, a third of a KiB for each
 * execution.
 */
const CHANCE = 0.7
/** Counts below this number per execution are ignored, because they come from the machine. */
const LEAST = 0.5

const file = new URL('baseline.json', import.meta.url)
const baseline = JSON.parse(readFileSync(file, 'utf8'))
const glibc = process.report.getReport().header.glibcVersionRuntime
/** Other versions have other system calls and allocations. */
const machine = [
  `Node ${process.versions.node.split('.')[0]}`,
  `glibc ${glibc}`,
  `Linux ${os.release().split('.').slice(0, 2).join('.')}`,
  `${os.availableParallelism()} CPUs`,
].join(', ')

const kinds = { calls: countCalls, memory: countMemory }
const [kind, flag] = process.argv.slice(2)
if (!Object.hasOwn(kinds, kind)) {
  process.stderr.write('usage: node bench/cost/run.mjs calls|memory [--write|--missing]\n')
  process.exit(64)
}
if (flag === '--missing') {
  process.stdout.write(missing() ?? '')
  process.exit(0)
}
const counted = await kinds[kind](runFolder())
if (flag === '--write') write()
else process.exitCode = report(baseline[machine][kind])

function missing() {
  // strace may be installed but not permitted to trace processes.
  if (kind === 'calls' && spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status !== 0)
    return 'strace'
  return baseline[machine] === undefined ? `a baseline for ${machine}` : undefined
}

function write() {
  baseline[machine] = { ...baseline[machine], [kind]: counted }
  writeFileSync(file, `${JSON.stringify(baseline, null, 2)}\n`)
}

/** @returns {number} exit code */
function report(before) {
  const rows = Object.keys({ ...before, ...counted }).map((name) => {
    const [was, is] = [before[name] ?? 0, counted[name] ?? 0]
    const failed = isJudged(name) && is >= LEAST && is >= was * GROWN && is - was >= CHANCE
    return { name, was, is, failed }
  })
  for (const { name, was, is, failed } of rows) {
    const change = was === 0 ? 'new' : `${((is / was - 1) * 100).toFixed(1)} %`
    const line = [
      name.padEnd(28),
      was.toFixed(2).padStart(10),
      is.toFixed(2).padStart(10),
      change.padStart(9),
    ]
    process.stdout.write(`${line.join(' ')}${failed ? '  GREW' : ''}\n`)
  }
  return rows.some(({ failed }) => failed) ? 1 : 0
}

/** Single system calls are only shown to find the cause. The result depends on their sum. */
function isJudged(name) {
  return kind !== 'calls' || name === 'all'
}
