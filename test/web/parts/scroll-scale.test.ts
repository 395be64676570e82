import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ScrollScale, START } from '../../../web/src/parts/lists/scroll-scale.ts'

describe('the scroll scale', () => {
  it('is what the browser says while the list is short', () => {
    expect(new ScrollScale(10_000, 500).at(1234)).toEqual({ bar: 1234, top: 1234 })
  })

  it('reaches both ends of a list that no browser could scroll', () => {
    const scale = new ScrollScale(300_000_000, 600)
    expect(scale.height).toBeLessThan(16_000_000)
    expect(scale.at(scale.height - 600).top).toBe(300_000_000 - 600)
    expect(scale.at(0).top).toBe(0)
  })

  it('moves by pixels in small steps, and by parts of the whole in long ones', () => {
    const place = new ScrollScale(300_000_000, 600, START).to(150_000_000)
    const scale = new ScrollScale(300_000_000, 600, place)
    expect(scale.at(place.bar + 100).top).toBe(150_000_100)
    expect(scale.at(place.bar + 1_000_000).top).toBeGreaterThan(180_000_000)
  })

  it('stays within the list, whatever is asked', () => {
    fc.assert(
      fc.property(fc.nat(400_000_000), fc.nat(2000), fc.integer(), fc.integer(), (total, view, bar, top) => {
        const scale = new ScrollScale(total, view, new ScrollScale(total, view).to(top))
        for (const place of [scale.to(top), scale.height === total ? START : scale.at(bar)]) {
          expect(place.top).toBeGreaterThanOrEqual(0)
          expect(place.top).toBeLessThanOrEqual(Math.max(0, total - view))
        }
      }),
    )
  })
})
