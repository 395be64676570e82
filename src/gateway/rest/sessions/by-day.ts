import { setImmediate } from 'node:timers/promises'
import type { DaysAnswer } from '../../../contract/sessions.ts'
import type { History } from '../../history/history.ts'
import type { SessionQuery } from '../../history/session.ts'
import { refused } from '../../refusals/request-refused.ts'

const USUAL_DAYS = 30
/**
 * Most sessions per day that are examined. SQLite needs some 50 ms for them, and no other request is served
 * in this time.
 */
const MAX_SESSIONS_PER_DAY = 100_000

interface Asked {
  readonly days: number | undefined
  readonly timeZone: string | undefined
}

/** Counts the sessions of each day. Other requests are served between two days. @throws RequestRefused 422 */
export async function sessionsByDay(
  history: Pick<History, 'outcomes'>,
  query: SessionQuery,
  { days = USUAL_DAYS, timeZone }: Asked,
): Promise<DaysAnswer> {
  const counted: DaysAnswer['days'][number][] = []
  let isCapped = false
  for (const { day, from, to } of lastDays(days, timeZone ?? '', new Date())) {
    const span = { from: later(query.from, from), to: earlier(query.to, to) }
    const { counts, isCapped: isDayCapped } = history.outcomes({ ...query, ...span }, MAX_SESSIONS_PER_DAY)
    const count = (outcome: string) => counts.get(outcome) ?? 0
    counted.push({
      day,
      open: count('open'),
      succeeded: count('succeeded'),
      failed: count('failed'),
      stopped: count('stopped'),
      rejected: count('rejected'),
    })
    isCapped ||= isDayCapped
    await setImmediate()
  }
  return { days: counted, is_capped: isCapped }
}

function later(one: Date | undefined, other: Date): Date {
  return one === undefined || one < other ? other : one
}

function earlier(one: Date | undefined, other: Date): Date {
  return one === undefined || one > other ? other : one
}

interface Day {
  readonly day: string
  readonly from: Date
  /** Last millisecond of the day. */
  readonly to: Date
}

/** The days until today, oldest first. @throws RequestRefused 422 for an unknown zone */
export function lastDays(count: number, timeZone: string, now: Date): Day[] {
  const clock = clockOf(timeZone === '' ? 'UTC' : timeZone)
  const today = Math.floor((now.getTime() + offsetAt(clock, now.getTime())) / DAY_MS)
  const starts = Array.from({ length: count + 1 }, (_, at) => startOf(clock, today - count + 1 + at))
  return starts.slice(0, -1).map((from, at) => ({
    day: new Date((today - count + 1 + at) * DAY_MS).toISOString().slice(0, 10),
    from: new Date(from),
    to: new Date((starts[at + 1] ?? from) - 1),
  }))
}

const DAY_MS = 24 * 60 * 60 * 1000
/** Clocks change only at the beginning of a half hour. */
const HALF_HOUR_MS = 30 * 60 * 1000

/**
 * Returns a function that finds the number of the day in this zone on which a time is. The function is for many
 * times, because it asks for the offset of a half hour once.
 * @throws RequestRefused 422 for an unknown zone
 */
export function dayNumbers(timeZone: string | undefined): (ms: number) => number {
  const clock = clockOf(timeZone === undefined || timeZone === '' ? 'UTC' : timeZone)
  const offsets = new Map<number, number>()
  return (ms) => {
    const half = Math.floor(ms / HALF_HOUR_MS)
    const offset = offsets.get(half) ?? offsetAt(clock, half * HALF_HOUR_MS)
    offsets.set(half, offset)
    return Math.floor((ms + offset) / DAY_MS)
  }
}

/** @param day number of the day since 1970 */
function startOf(clock: Intl.DateTimeFormat, day: number): number {
  const local = day * DAY_MS
  // If the clocks change on this day, the offset at the first guess may be wrong, but not at the second.
  const guess = local - offsetAt(clock, local)
  return local - offsetAt(clock, guess)
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      hourCycle: 'h23',
    })
  } catch {
    throw refused('invalid-request/time-zone')
  }
}

/** Offset from UTC in ms. */
function offsetAt(clock: Intl.DateTimeFormat, ms: number): number {
  const parts = Object.fromEntries(clock.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000
}
