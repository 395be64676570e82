import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { liveness, LoopDelays, LoopMonitor, readiness } from '../../src/operations/health.ts'
import { block } from '../support/machine/block.ts'
import { sampleStatus } from '../support/sites/sample-status.ts'

const MINUTE = 60_000

/** The loop turns every 200 ms, and then for `ms` not. @returns the time at the end */
function turns(delays: LoopDelays, from: number, count: number, ms = 0): number {
  let at = from
  for (let i = 0; i < count; i++) delays.turned((at += 200))
  if (ms > 0) delays.turned((at += 200 + ms))
  return at
}

describe('the delays of an event loop', () => {
  test('are none when it turns in time', () => {
    const delays = new LoopDelays(0)
    turns(delays, 0, 10)
    expect([delays.longest(), delays.total()]).toEqual([0, 0])
  })

  test('are how late it was, the longest and all of them', () => {
    const delays = new LoopDelays(0)
    const at = turns(delays, 0, 3, 5000)
    turns(delays, at, 3, 700)
    expect([delays.longest(), delays.total()]).toEqual([5000, 5700])
  })

  test('are forgotten after a minute', () => {
    const delays = new LoopDelays(0)
    const at = turns(delays, 0, 1, 5000)
    turns(delays, at, 299)
    expect(delays.longest()).toBe(5000)
    turns(delays, at + 299 * 200, 1)
    expect([delays.longest(), delays.total()]).toEqual([0, 0])
  })

  test('count for the last minute only, of one that is longer', () => {
    const delays = new LoopDelays(0)
    const at = turns(delays, 0, 1, 10 * MINUTE)
    expect([delays.longest(), delays.total()]).toEqual([10 * MINUTE, MINUTE])
    turns(delays, at, 100)
    expect(delays.total()).toBe(MINUTE - 100 * 200)
  })

  test('are the parts of the last minute that lie more than 200 ms behind a turn', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 100 }), (gaps) => {
        const delays = new LoopDelays(0)
        let at = 0
        const blocks: { from: number; to: number }[] = []
        for (const gap of gaps) {
          if (gap > 200) blocks.push({ from: at + 200, to: at + gap })
          delays.turned((at += gap))
        }
        const recent = blocks.filter(({ to }) => to > at - MINUTE)
        const lengths = recent.map(({ from, to }) => to - Math.max(from, at - MINUTE))
        expect(delays.total()).toBe(lengths.reduce((sum, length) => sum + length, 0))
        expect(delays.longest()).toBe(Math.max(0, ...recent.map(({ from, to }) => to - from)))
      }),
      { numRuns: 300 },
    )
  })
})

test('a loop that was blocked for real is seen', () => {
  using monitor = new LoopMonitor()
  expect(monitor.blockedMs()).toBe(0)
  block(500)
  // 200 ms of it are the time until the next look.
  expect(monitor.longestMs()).toBeGreaterThanOrEqual(295)
  expect(monitor.blockedMs()).toBeGreaterThanOrEqual(295)
})

describe('liveness', () => {
  test('is well while the loop turns at least half of the time', () => {
    expect(liveness(0)).toEqual({ ok: true, line: 'ok' })
    expect(liveness(30_000).ok).toBe(true)
  })

  test('is not well when the loop hardly ever turns', () => {
    expect(liveness(30_001)).toEqual({
      ok: false,
      line: 'the event loop was blocked for 30 s of the last minute',
    })
  })
})

describe('readiness', () => {
  test.each(['serving', 'polling'])('is there when the agent is %s', (state) => {
    expect(readiness(sampleStatus({ state }))).toEqual({ ok: true, line: state })
  })

  test.each(['idle', 'connecting', 'waiting', 'conflict', 'refused', 'draining', 'stopped', 'other'])(
    'is not there when it is %s',
    (state) => {
      expect(readiness(sampleStatus({ state }))).toEqual({ ok: false, line: state })
    },
  )

  test('says why not', () => {
    expect(readiness(sampleStatus({ state: 'waiting', reason: 'connect ECONNREFUSED' })).line).toBe(
      'waiting: connect ECONNREFUSED',
    )
  })
})
