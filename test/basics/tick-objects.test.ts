import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { translate } from '../support/machine/translate.ts'
import { Workplace } from '../support/sites/workplace.ts'

/**
 * Collects the whole heap while no call of `process.nextTick` waits, and prints the least CPU time in ms of several
 * rounds of such calls.
 */
const script = `
  import { keepTickObject } from './basics/tick-objects.js'
  const CALLS = 200_000
  const round = () => new Promise((resolve) => {
    const from = process.cpuUsage()
    let left = CALLS
    const tick = () => {
      left -= 1
      if (left > 0) return process.nextTick(tick)
      const { user, system } = process.cpuUsage(from)
      resolve((user + system) / 1000)
    }
    tick()
  })
  const collected = () => new Promise((resolve) => setTimeout(() => {
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    gc()
    setTimeout(resolve, 1)
  }, 1))
  if (process.argv[2] === 'kept') keepTickObject()
  for (let n = 0; n < 3; n++) {
    await round()
    await collected()
  }
  const rounds = []
  for (let n = 0; n < 8; n++) rounds.push(await round())
  console.log(Math.min(...rounds))`

function cpuMs(...args: string[]): number {
  using place = new Workplace()
  translate(place.path, ['basics'])
  place.write('main.mjs', script)
  const words = ['--expose-gc', place.at('main.mjs'), ...args]
  const { stdout, stderr } = spawnSync(process.execPath, words, { env: place.env, encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  return Number(stdout)
}

describe('process.nextTick', () => {
  it('stays fast after a collection of the heap', () => {
    // Usually a fifth.
    expect(cpuMs('kept')).toBeLessThan(cpuMs() / 2)
  })
})
