import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clearOf, type Span } from '../../../src/policy/masking/masked-stream.ts'
import { subjectOf } from '../../../src/policy/masking/subject.ts'
import { done } from '../../../src/policy/work.ts'

const span = fc
  .tuple(fc.nat(30), fc.integer({ min: 1, max: 8 }))
  .map(([start, length]): Span => ({ start, end: start + length }))

describe('a cut', () => {
  it('is the last place where no match lies across, wherever the matches are', () => {
    fc.assert(
      fc.property(fc.array(span), fc.nat(30), (matches, last) => {
        const cut = done(clearOf(matches, subjectOf(Buffer.from('.'.repeat(40))), 0, last))
        const isClear = (at: number) => !matches.some(({ start, end }) => start < at && at < end)
        const places = Array.from({ length: last + 1 }, (_, place) => last - place)
        expect(cut).toBe(places.find(isClear))
      }),
    )
  })

  it('goes through the matches once, however often it has to go back', () => {
    let looks = 0
    const matches = Array.from({ length: 10_000 }, (_, n) => ({
      get start() {
        looks++
        return n * 4 + 2
      },
      end: n * 4 + 4,
    }))
    expect(done(clearOf(matches, subjectOf(Buffer.from('aa.b'.repeat(10_000))), 0, 39_999))).toBe(2)
    expect(looks).toBeLessThan(50 * matches.length)
  })
})
