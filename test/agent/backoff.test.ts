import { describe, expect, it } from 'vitest'
import { Backoff } from '../../src/agent/backoff.ts'

describe('the backoff', () => {
  it('doubles its window from 1 s to 30 s and starts over after a reset', () => {
    const backoff = new Backoff(() => 1)
    const windows = Array.from({ length: 7 }, () => backoff.next())
    backoff.reset()
    expect([...windows, backoff.next()]).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 1000])
  })

  it('spreads a fleet over the whole window', () => {
    const waits = Array.from({ length: 1000 }, () => new Backoff().next())
    const quarters = [0, 1, 2, 3].map(
      (quarter) => waits.filter((wait) => Math.floor(wait / 250) === quarter).length,
    )
    expect(Math.min(...quarters)).toBeGreaterThan(150)
  })
})
