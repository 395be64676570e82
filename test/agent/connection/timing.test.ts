import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Backoff, TIMING } from '../../../src/agent/connection/timing.ts'

function waits(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.next())
}

describe('the backoff', () => {
  it('doubles its window from 1 s to 8 s and starts over after a reset', () => {
    const backoff = new Backoff(TIMING.backoff.lost, () => 1)
    const windows = waits(backoff, 7)
    backoff.reset()
    expect([...windows, backoff.next()]).toEqual([1000, 2000, 4000, 8000, 8000, 8000, 8000, 1000])
  })

  it('is between 3 s and 8 s while the gateway has our key connected', () => {
    expect(waits(new Backoff(TIMING.backoff.conflict, () => 0), 3)).toEqual([3000, 3000, 3000])
    expect(waits(new Backoff(TIMING.backoff.conflict, () => 1), 3)).toEqual([8000, 8000, 8000])
  })

  it('is between 30 s and 60 s while the gateway refuses the key', () => {
    expect(waits(new Backoff(TIMING.backoff.refused, () => 0), 2)).toEqual([30_000, 30_000])
    expect(waits(new Backoff(TIMING.backoff.refused, () => 1), 2)).toEqual([60_000, 60_000])
  })

  it('never leaves its range, however long it goes on', () => {
    const range = fc.constantFrom(TIMING.backoff.lost, TIMING.backoff.conflict, TIMING.backoff.refused)
    fc.assert(
      fc.property(
        range,
        fc.nat(5000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (given, attempts, random) => {
          const backoff = new Backoff(given, () => random)
          waits(backoff, attempts)
          const wait = backoff.next()
          expect(wait >= given.shortestMs && wait <= given.longestMs).toBe(true)
        },
      ),
    )
  })

  it('spreads a fleet over the whole window', () => {
    const first = Array.from({ length: 1000 }, () => new Backoff(TIMING.backoff.lost).next())
    expect(Math.min(...perQuarter(first, 1000))).toBeGreaterThan(150)
  })

  it('brings 200 agents back one by one when their gateway returns after an hour', () => {
    // Each has its own history of waits by then; what counts is the rest of the one that runs at that moment.
    const rests = Array.from({ length: 200 }, () => restAt(3_600_000, new Backoff(TIMING.backoff.lost)))
    // The rest of a wait that is even over 0 to 8 s: most soon, all within the longest window.
    expect(Math.max(...rests)).toBeLessThanOrEqual(8000)
    const perSecond = Array.from(
      { length: 8 },
      (_, second) => rests.filter((rest) => Math.floor(rest / 1000) === second).length,
    )
    // 200 times 2/8 come in the first second on average; by chance alone hardly ever twice as many.
    expect(Math.max(...perSecond)).toBeLessThan(100)
    expect(perSecond.filter((count) => count > 0).length).toBeGreaterThan(5)
  })

  it('is over within 8 s of the return of a gateway, whenever it went and however long it was away', () => {
    const away = fc.record({
      /** Losses before this one, each a minute at least apart or not: by them the window has grown, or not. */
      earlier: fc.nat(20),
      isReset: fc.boolean(),
      awayMs: fc.oneof(fc.nat(120_000), fc.nat(24 * 3_600_000)),
      /** Of an attempt that fails: at once where the port is closed, later where the host is away. */
      attemptMs: fc.nat(500),
      kind: fc.constantFrom('lost' as const, 'conflict' as const),
    })
    let returns = 0
    fc.assert(
      fc.property(away, ({ earlier, isReset, awayMs, attemptMs, kind }) => {
        const backoff = new Backoff(TIMING.backoff[kind])
        waits(backoff, earlier)
        if (isReset) backoff.reset()
        expect(lateness({ backoff, awayMs, attemptMs })).toBeLessThanOrEqual(8000 + attemptMs)
        returns += 1
      }),
      { numRuns: 1000 },
    )
    expect(returns).toBeGreaterThanOrEqual(1000)
  })
})

function perQuarter(values: readonly number[], of: number): number[] {
  return [0, 1, 2, 3].map(
    (quarter) => values.filter((value) => Math.floor((value / of) * 4) === quarter).length,
  )
}

/** How long the wait that runs at a time goes on. */
function restAt(timeMs: number, backoff: Backoff): number {
  let at = 0
  while (at <= timeMs) at += backoff.next()
  return at - timeMs
}

interface Absence {
  readonly backoff: Backoff
  readonly awayMs: number
  readonly attemptMs: number
}

/** From the return of the gateway to the first attempt after it, on a clock of its own. */
function lateness({ backoff, awayMs, attemptMs }: Absence): number {
  let at = 0
  while (at < awayMs) at += backoff.next() + attemptMs
  return at - awayMs
}
