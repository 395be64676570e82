import { describe, expect, it } from 'vitest'
import { cronProblem, isCron, isTimeZone, nextTime } from '../../../src/gateway/settings/due-times.ts'

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
  it('that summer time leaves out is due when the clocks have gone forward', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', 2)).toEqual([
      '2026-03-29T01:00',
      '2026-03-30T00:30',
    ])
  })

  it('that comes twice at the end of summer time is due the first time alone', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', 2)).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ])
  })

  it('of each hour is due in both hours at the end of summer time', () => {
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

it.each([
  ['* 24 * * *', 'the field hour cannot be read'],
  ['61 * * 13 *', 'the field minute and the field month cannot be read'],
  ['0 0 * * mondy', 'the field weekday cannot be read'],
  ['0 0 30 2 *', 'no day of any year matches day and month'],
  ['* * * *', ''],
])('the refusal of %j says what is wrong', (cron, problem) => {
  expect([isCron(cron), cronProblem(cron)]).toEqual([false, problem])
})

it('the name of a place is a time zone, and an offset is none', () => {
  expect(['UTC', 'Europe/Berlin', '+02:00', 'Nowhere/Land', ''].map(isTimeZone)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
})
