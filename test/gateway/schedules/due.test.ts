import { describe, expect, it } from 'vitest'
import { isCron, isTimeZone, nextTime } from '../../../src/gateway/settings/schedules.ts'
import { dueNow } from '../../../src/gateway/schedules/due.ts'

const at = (text: string) => Date.parse(text)
const text = (ms: number | undefined) =>
  ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16)

function times(cron: string, timezone: string, from: string, count: number): (string | undefined)[] {
  const found: (string | undefined)[] = []
  for (let time = at(from); found.length < count; found.push(text(time)))
    time = nextTime({ cron, timezone }, time) ?? NaN
  return found
}

describe('a time of a day', () => {
  it('that does not exist, since clocks go forward, is due when they have', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', 2)).toEqual([
      '2026-03-29T01:00',
      '2026-03-30T00:30',
    ])
  })

  it('that comes twice, since clocks go back, is due the first time alone', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', 2)).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ])
  })

  it('of each hour is due in both of them', () => {
    const found = times('30 * * * *', 'Europe/Berlin', '2026-10-25T00:00Z', 3)
    expect(found).toEqual(['2026-10-25T00:30', '2026-10-25T01:30', '2026-10-25T02:30'])
  })
})

it.each([
  ['*/5 * * * *', true],
  ['0 3 * * 1-5', true],
  ['@daily', true],
  ['0 0 29 2 *', true],
  ['0 0 L * *', true],
  ['0 0 30 2 *', false],
  ['* * * * * *', false],
  ['60 * * * *', false],
  ['@reboot', false],
  ['', false],
])('%j is a rule: %s', (cron, is) => {
  expect(isCron(cron)).toBe(is)
})

it('takes names of places for time zones, and no offsets', () => {
  expect(['UTC', 'Europe/Berlin', '+02:00', 'Nowhere/Land', ''].map(isTimeZone)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
})

const HOURLY = { cron: '0 * * * *', timezone: 'UTC', catchesUp: false }
const NOON = at('2026-06-01T12:00Z')
const HOUR = 3_600_000

describe('what is due', () => {
  it('is nothing before its time, and then once', () => {
    expect(dueNow(HOURLY, NOON, NOON + HOUR - 1)).toBeUndefined()
    expect(dueNow(HOURLY, NOON, NOON + HOUR)).toEqual({ run: NOON + HOUR, doneUntil: NOON + HOUR })
    expect(dueNow(HOURLY, NOON + HOUR, NOON + HOUR + 5)).toBeUndefined()
  })

  it('runs a minute late, after a restart', () => {
    expect(dueNow(HOURLY, NOON, NOON + HOUR + 60_000)?.run).toBe(NOON + HOUR)
  })

  it('is left out when it is later', () => {
    const until = NOON + 5 * HOUR
    expect(dueNow(HOURLY, NOON, until + 60_001)).toEqual({
      missed: { from: NOON + HOUR, until },
      doneUntil: until,
    })
  })

  it('or is run once, however much was due', () => {
    const until = NOON + 5 * HOUR
    const due = dueNow({ ...HOURLY, catchesUp: true }, NOON, until + 1_800_000)
    expect(due).toEqual({ run: until, missed: { from: NOON + HOUR, until }, doneUntil: until })
  })

  it('is one run when a clock jumps ten years ahead, and is found at once', () => {
    const rule = { cron: '* * * * *', timezone: 'Europe/Berlin', catchesUp: true }
    const later = NOON + 10 * 365 * 24 * HOUR
    expect(dueNow(rule, NOON, later)).toEqual({
      run: later,
      missed: { from: NOON + 60_000, until: later },
      doneUntil: later,
    })
  })

  it('waits for a clock that was set back by less than a day', () => {
    expect(dueNow(HOURLY, NOON, NOON - 23 * HOUR)).toBeUndefined()
  })

  it('begins anew when a clock was years ahead', () => {
    const wrong = NOON + 10 * 365 * 24 * HOUR
    expect(dueNow(HOURLY, wrong, NOON)).toEqual({ doneUntil: NOON })
  })
})
