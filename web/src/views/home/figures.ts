import type { DaysAnswer } from '../../../../src/contract/sessions.ts'
import type { Agent, Review } from '../../api/types.ts'

// The figures of the tiles, from answers that the page has anyway or of a bounded size.

/** Days on each line, today included. */
export const DAYS = 14
const DAY_MS = 86_400_000

export type Line = readonly (number | undefined)[]

type Day = DaysAnswer['days'][number]

interface Runs {
  readonly today: number
  /** Rounded. */
  readonly usual: number
  readonly line: Line
}

export function runsOf(days: readonly Day[]): Runs {
  const line = days.map(({ open, succeeded, failed, stopped, rejected }) => {
    return open + succeeded + failed + stopped + rejected
  })
  const before = line.slice(0, -1)
  const usual = Math.round(before.reduce((sum, count) => sum + count, 0) / Math.max(1, before.length))
  return { today: line.at(-1) ?? 0, usual, line }
}

interface Successes {
  /** From 0 to 1. Runs that people stopped or rejected do not count. */
  readonly share: number
  readonly failed: number
  readonly line: Line
}

/** Returns undefined if nothing has succeeded or failed. */
export function successesOf(days: readonly Day[]): Successes | undefined {
  const succeeded = days.reduce((sum, day) => sum + day.succeeded, 0)
  const failed = days.reduce((sum, day) => sum + day.failed, 0)
  const shareOf = (good: number, bad: number) => (good + bad === 0 ? undefined : good / (good + bad))
  const share = shareOf(succeeded, failed)
  const line = days.map((day) => shareOf(day.succeeded, day.failed))
  return share === undefined ? undefined : { share, failed, line }
}

/** Returns `97.3%`. Rounds down, so that it says 100% only if nothing has failed. */
export function percentText(share: number): string {
  return `${Math.floor(share * 1000) / 10}%`
}

interface Waits {
  readonly count: number
  readonly medianMs: number
  /** Median of each day, in ms. */
  readonly line: Line
}

/** Returns undefined if nothing was approved in these days. */
export function waitsOf(reviews: readonly Review[], now: number): Waits | undefined {
  const waits = reviews.flatMap((review) => {
    const approvedAt = approvedAtOf(review)
    const daysAgo = approvedAt === undefined ? DAYS : daysBetween(approvedAt, now)
    if (approvedAt === undefined || daysAgo >= DAYS) return []
    return [{ day: DAYS - 1 - daysAgo, ms: Math.max(0, approvedAt - Date.parse(review.created_at)) }]
  })
  const all = medianOf(waits.map(({ ms }) => ms))
  if (all === undefined) return undefined
  const line = Array.from({ length: DAYS }, (_, index) => {
    return medianOf(waits.filter(({ day }) => day === index).map(({ ms }) => ms))
  })
  return { count: waits.length, medianMs: all, line }
}

/** Returns `40 s`, `6 min` or `3 h`. */
export function waitText(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1) return `${Math.round(ms / 1000)} s`
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}

const APPROVED: readonly Review['status'][] = ['APPROVED', 'PROCESSING', 'EXECUTED']

function approvedAtOf({ status, review_groups_data: groups }: Review): number | undefined {
  const times = groups.flatMap((group) =>
    group.status === 'APPROVED' && group.review_date !== null ? [Date.parse(group.review_date)] : [],
  )
  return APPROVED.includes(status) && times.length > 0 ? Math.max(...times) : undefined
}

/** Days of the calendar in the user's time zone. A day may have 23 or 25 hours. */
function daysBetween(time: number, now: number): number {
  const midnight = (at: number) => new Date(at).setHours(0, 0, 0, 0)
  return Math.round((midnight(now) - midnight(time)) / DAY_MS)
}

function medianOf(values: readonly number[]): number | undefined {
  return values.toSorted((one, other) => one - other)[Math.floor((values.length - 1) / 2)]
}

/** Agents that accept no sessions. An agent without a connection of this person does not matter to them. */
export function awayOf(agents: readonly Agent[]): readonly Agent[] {
  return agents.filter(({ state, connections }) => isAway(state) && connections.length > 0)
}

export function isAway(state: Agent['state']): boolean {
  return state === 'left' || state === 'lost' || state === 'never'
}

/** Width and height of the drawing, and its margin. */
const [WIDTH, HEIGHT, MARGIN] = [96, 32, 2]

/** Returns the points of a polyline. Days without a value are left out. */
export function pointsOf(line: Line): string {
  const values = line.filter((value) => value !== undefined)
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const x = (index: number) => MARGIN + (index * (WIDTH - 2 * MARGIN)) / Math.max(1, line.length - 1)
  const y = (value: number) =>
    high === low ? HEIGHT / 2 : MARGIN + ((high - value) * (HEIGHT - 2 * MARGIN)) / (high - low)
  return line
    .flatMap((value, index) => (value === undefined ? [] : [`${x(index).toFixed(1)},${y(value).toFixed(1)}`]))
    .join(' ')
}
