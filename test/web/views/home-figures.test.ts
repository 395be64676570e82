import { describe, expect, it } from 'vitest'
import type { Agent, Review } from '../../../web/src/api/types.ts'
import {
  awayOf,
  percentText,
  pointsOf,
  runsOf,
  successesOf,
  waitsOf,
  waitText,
} from '../../../web/src/views/home/figures.ts'

const day = (counts: object = {}) => ({
  ...{ day: '2026-12-01', open: 0, succeeded: 0, failed: 0, stopped: 0, rejected: 0 },
  ...counts,
})

describe('figures of Home', () => {
  it('count all runs of today, and the average of the days before', () => {
    const days = [day({ succeeded: 4 }), day({ failed: 1, stopped: 1 }), day({ open: 2, rejected: 5 })]
    expect(runsOf(days)).toEqual({ today: 7, usual: 3, line: [4, 2, 7] })
    expect(runsOf([])).toEqual({ today: 0, usual: 0, line: [] })
  })

  it('leave out of the share of successes what people have stopped or rejected', () => {
    const days = [day({ succeeded: 3, failed: 1, stopped: 9 }), day(), day({ rejected: 2, failed: 2 })]
    expect(successesOf(days)).toEqual({ share: 0.5, failed: 3, line: [0.75, undefined, 0] })
    expect(successesOf([day({ stopped: 1, open: 1 })])).toBeUndefined()
  })

  it.each([
    [1, '100%'],
    [0.9999, '99.9%'],
    [0.973, '97.3%'],
    [0, '0%'],
  ])('say %d as %s', (share, text) => expect(percentText(share)).toBe(text))

  it.each([
    [29_000, '29 s'],
    [60_000 * 5.6, '6 min'],
    [60_000 * 119, '119 min'],
    [3_600_000 * 26, '26 h'],
  ])('say %d ms as %s', (ms, text) => expect(waitText(ms)).toBe(text))

  const now = new Date(2026, 11, 2, 9, 30).getTime()
  const review = (status: Review['status'], askedAt: number, ...decidedAfter: (number | undefined)[]) =>
    ({
      ...{ status, created_at: new Date(askedAt).toISOString() },
      review_groups_data: decidedAfter.map((after) => ({
        status: after === undefined ? 'PENDING' : 'APPROVED',
        review_date: after === undefined ? null : new Date(askedAt + after).toISOString(),
      })),
    }) as unknown as Review

  it('wait from a request to its last approval, and only for requests that were approved in these days', () => {
    const [hour, today, lastWeek] = [3_600_000, now - 7_200_000, now - 6 * 86_400_000]
    const found = waitsOf(
      [
        review('EXECUTED', today, 1000, 60_000),
        review('APPROVED', today, undefined, 3000),
        review('EXECUTED', lastWeek, hour),
        review('PENDING', today, 1000, undefined),
        review('REJECTED', today, 5000),
        review('EXECUTED', now - 15 * 86_400_000, hour),
      ],
      now,
    )
    expect(found).toMatchObject({ count: 3, medianMs: 60_000 })
    expect(found?.line).toHaveLength(14)
    expect([found?.line.at(-7), found?.line.at(-1)]).toEqual([hour, 3000])
    expect(found?.line.filter((value) => value !== undefined)).toHaveLength(2)
    expect(waitsOf([], now)).toBeUndefined()
  })

  it('name an agent as away only to people with a connection of it', () => {
    const agent = (name: string, state: Agent['state'], connections = ['web']) =>
      ({ name, state, connections }) as unknown as Agent
    const all = [
      ...[agent('a', 'connected'), agent('b', 'lost'), agent('c', 'never', []), agent('d', 'draining')],
      ...[agent('e', 'left'), agent('f', 'never')],
    ]
    expect(awayOf(all).map(({ name }) => name)).toEqual(['b', 'e', 'f'])
  })

  it('draw a line from left to right, without the days that have no value', () => {
    expect(pointsOf([0, undefined, 10])).toBe('2.0,30.0 94.0,2.0')
    expect(pointsOf([3, 3])).toBe('2.0,16.0 94.0,16.0')
    expect(pointsOf([undefined])).toBe('')
  })
})
