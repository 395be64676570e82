import { describe, expect, it } from 'vitest'
import { dueNow } from '../../../src/gateway/schedules/due.ts'

const at = (text: string) => Date.parse(text)
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
