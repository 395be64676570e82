import { describe, expect, it } from 'vitest'
import { DAY_S, type ChartData } from '../../../web/src/result/chart-data.ts'
import { wholeRange } from '../../../web/src/views/result/chart-axes.ts'

function rangeOf(kind: ChartData['kind'], places: readonly number[]) {
  return wholeRange({ kind, places, values: [], labels: [], leftOut: 0 })
}

describe('the axis of a chart with bars', () => {
  it('has room for the half of the first and of the last bar that lies outside of their places', () => {
    const [low, high] = rangeOf('moments', [0, DAY_S, 3 * DAY_S])(0, 3 * DAY_S)
    expect(low).toBeLessThan(-DAY_S / 2)
    expect(high).toBeGreaterThan(3.5 * DAY_S)
  })

  it('shows only the part that the user selected', () => {
    expect(rangeOf('numbers', [1, 2, 3, 4])(1.5, 3.5)).toEqual([1.5, 3.5])
  })

  it('shows a single bar, and rows of one place', () => {
    expect(rangeOf('moments', [DAY_S])(DAY_S, DAY_S)).toEqual([0.4 * DAY_S, 1.6 * DAY_S])
    expect(rangeOf('numbers', [5, 5, 5])(5, 5)).toEqual([4.4, 5.6])
    expect(rangeOf('numbers', [])(0, 0)).toEqual([-0.6, 0.6])
  })
})
