import { describe, expect, it } from 'vitest'
import { RowTimes } from '../../../web/src/output/row-times.ts'
import { OutputRecord } from '../../../web/src/output/record.ts'

describe('RowTimes', () => {
  it('knows when each row was begun', () => {
    const record = new OutputRecord('')
    const event = (text: string, second: number) => ({
      type: 'o',
      payload: Buffer.from(text).toString('base64'),
      place: String(second),
      time: new Date(second * 1000).toISOString(),
    })
    // The second row is begun by the first event, and ended by the second one.
    record.add([event('one\ntw', 1), event('o\nthree\n', 2), event('four\n', 3)])
    expect([0, 1, 2, 3].map((row) => record.times.at(row))).toEqual([1000, 1000, 2000, 3000])
  })

  it('keeps ten marks a second at most, however many events there are', () => {
    const times = new RowTimes()
    for (let row = 0; row < 1000; row++) times.mark(row, row)
    expect(times.at(999)).toBe(900)
    expect(times.at(99)).toBe(0)
    expect(new RowTimes().at(5)).toBeUndefined()
  })
})
