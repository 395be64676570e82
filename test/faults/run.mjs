#!/usr/bin/env node
// `npm run test:faults -- [--seed N] [--minutes M] [--from ROUND] [--rounds COUNT] [--only KIND,KIND]`: the rig by hand.
import { spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import process from 'node:process'
import { parseArgs } from 'node:util'

const LARGEST = 1_000_000_000

const { seed, minutes, from, rounds, only } = options()
process.stdout.write(`seed ${seed}\n`)
const env = {
  ...process.env,
  FAULTS_SEED: seed,
  FAULTS_MINUTES: minutes,
  FAULTS_FROM: from,
  FAULTS_ROUNDS: rounds,
  FAULTS_ONLY: only,
}
const vitest = ['npx', 'vitest', 'run', '--config', 'vitest.faults.config.ts', 'test/faults/long']
const [program, ...args] = [...apart(), ...vitest]
spawn(program, args, { stdio: 'inherit', env }).once('exit', (code) => (process.exitCode = code ?? 1))

/**
 * Nobody else sees the rig's processes and disks, and they go with it, also when it is killed. The shell is there to
 * collect processes whose parents have ended.
 */
function apart() {
  const unshare = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  if (spawnSync(unshare[0], [...unshare.slice(1), 'true']).status !== 0) return []
  return [...unshare, 'bash', '-c', '"$@"; exit $?', 'bash']
}

function options() {
  const text = { type: 'string' }
  const known = { seed: text, minutes: text, from: text, rounds: text, only: text }
  try {
    const { only = '', ...given } = parseArgs({ options: known }).values
    const numbers = {
      seed: String(randomInt(LARGEST)),
      minutes: '30',
      from: '1',
      rounds: String(LARGEST),
      ...given,
    }
    for (const [name, value] of Object.entries(numbers))
      if (!/^[1-9]\d{0,9}$/.test(value)) throw new Error(`--${name} must be a whole number from 1 on`)
    return { ...numbers, only }
  } catch (error) {
    process.stderr.write(`test:faults: ${error.message}\n`)
    process.exit(64)
  }
}
