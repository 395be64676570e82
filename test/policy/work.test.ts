import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { done, inTurns, limited, ordered, TOO_LONG, type Work } from '../../src/policy/work.ts'

describe('long work', () => {
  it('is sorted in parts as in one go, equal things in their order', () => {
    const items = fc.array(fc.tuple(fc.nat(50), fc.nat()), { minLength: 1, maxLength: 9000, size: 'max' })
    fc.assert(
      fc.property(items, (list) => {
        const byFirst = ([a]: [number, number], [b]: [number, number]) => a - b
        expect(done(ordered(list, byFirst))).toEqual(list.toSorted(byFirst))
      }),
      { numRuns: 20 },
    )
  })

  it('is left and gone on with while many things are sorted', () => {
    const items = Array.from({ length: 100_000 }, (_, n) => (n * 7919) % 100_003)
    const parts = [...ordered(items, (a, b) => a - b)].length
    expect(parts).toBeGreaterThan(100)
    // Each part is one of some milliseconds, not of one comparison.
    expect(parts).toBeLessThan(1000)
  })

  it('is stopped when it has used up its own time, not when other work has', () => {
    function* steps(count: number) {
      for (let step = 0; step < count; step++) yield
      return count
    }
    expect(done(limited(steps(1000), 60_000))).toBe(1000)
    expect(done(limited(steps(1_000_000), 0))).toBe(TOO_LONG)
  })

  it('yields to other sessions after its first time slice', async () => {
    const turns: string[] = []
    setImmediate(() => turns.push('others'))
    await inTurns(longSteps(3, turns))
    expect(turns).toEqual(['step', 'others', 'step', 'step'])
  })

  it('is there at once when one turn is enough', () => {
    const nothing: string[] = []
    expect(inTurns(longSteps(0, nothing))).toBe(nothing)
  })
})

/** Each takes longer than a turn. */
function* longSteps(count: number, turns: string[]): Work<string[]> {
  for (let step = 0; step < count; step++) {
    turns.push('step')
    const from = performance.now()
    while (performance.now() - from < 11);
    yield
  }
  return turns
}
