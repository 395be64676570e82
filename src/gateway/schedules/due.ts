import { lastTime, nextTime, type CronRule } from '../settings/cron.ts'

interface DueRule extends CronRule {
  /** Whether the last due time runs late rather than not at all. */
  readonly catchesUp: boolean
}

/** What is due at some moment. Times are in ms since 1970. */
export interface Due {
  /** Due times that are left out, the first and the last of them. */
  readonly missed?: { readonly from: number; readonly until: number }
  /** The due time that runs now. */
  readonly run?: number
  /** What is due until then has been looked at. */
  readonly doneUntil: number
}

/** So late something still counts as in time: after a restart, or while the machine was busy. */
const GRACE_MS = 60_000
/** A clock that is set back by less is waited for: what was due has run. One that is set back by more was wrong before. */
const SET_BACK_MS = 24 * 60 * 60 * 1000

/** Whether the clock has been set back so far that what was looked at was never due. */
export function isSetBack(doneUntil: number, now: number): boolean {
  return now < doneUntil - SET_BACK_MS
}

/**
 * What is due since `doneUntil`: one run at most, however far a clock has jumped or the gateway was away. Undefined when
 * nothing is.
 */
export function dueNow(rule: DueRule, doneUntil: number, now: number): Due | undefined {
  if (isSetBack(doneUntil, now)) return { doneUntil: now }
  const first = nextTime(rule, doneUntil)
  if (first === undefined || first > now) return undefined
  const last = lastTime(rule, doneUntil, now) ?? first
  const isLate = last < now - GRACE_MS
  if (isLate && !rule.catchesUp) return { missed: { from: first, until: last }, doneUntil: last }
  return { run: last, doneUntil: last, ...(first < last && { missed: { from: first, until: last } }) }
}
