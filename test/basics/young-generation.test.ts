import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { translate } from '../support/machine/translate.ts'
import { Workplace } from '../support/sites/workplace.ts'

/**
 * Keeps much of what it makes, so that V8 wants a larger young generation, and then lets 64 MB of buffers pass. Prints
 * the size of the young generation, both halves, in MiB, and by how many MiB the memory of buffers had grown at most.
 */
const script = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { bufferPassed } from './basics/young-generation.js'
  const isTold = process.argv[2] === 'told'
  const kept = []
  for (let n = 0; n < 400_000; n++) {
    if (isTold && n % 5 === 0) bufferPassed(0)
    kept.push({ n: [n] })
    if (kept.length > 40_000) kept.splice(0, 20_000)
  }
  const size = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let n = 0; n < 640; n++) {
    const buffer = Buffer.alloc(100 * 1024)
    if (isTold) bufferPassed(buffer.length)
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  console.log(JSON.stringify({ size: size / 2 ** 20, most: most / 2 ** 20 }))`

function figures(flags: readonly string[], ...args: string[]): { size: number; most: number } {
  using place = new Workplace()
  translate(place.path, ['basics'])
  place.write('main.js', script)
  const words = [...flags, place.at('main.js'), ...args]
  const { stdout, stderr } = spawnSync(process.execPath, words, { env: place.env, encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as { size: number; most: number }
}

describe('the young generation of V8', () => {
  it('stops growing, and buffers that have passed are freed soon', () => {
    const [told, alone] = [figures([], 'told'), figures([])]
    // V8 takes two steps now and then.
    expect([4, 8]).toContain(told.size)
    expect(alone.size).toBeGreaterThan(8)
    expect(told.most).toBeLessThan(24)
    expect(alone.most).toBeGreaterThan(24)
  })

  it('grows where whoever starts the agent has chosen a size', () => {
    expect(figures(['--max-semi-space-size=8'], 'told').size).toBe(16)
    expect(figures(['--semi-space-growth-factor=3'], 'told').size).toBeGreaterThan(8)
  })
})
