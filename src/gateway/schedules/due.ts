import { lastTime, nextTime, type CronRule } from '../settings/due-times.ts'

interface DueRule extends CronRule {
  /** Whether the last due time runs late, instead of not at all. */
  readonly catchesUp: boolean
}

/** Due times at some moment, in ms since 1970. */
export interface Due {
  /** The first and the last of the due times that are left out. */
  readonly missed?: { readonly from: number; readonly until: number }
  /** The due time that runs now. */
  readonly run?: number
  /** Due times until this time have been checked. */
  readonly doneUntil: number
}

/** Longest delay that still counts as in time: after a restart, or while the machine was busy. */
const GRACE_MS = 60_000
/**
 * Larger steps back of the clock mean that it was wrong before. After a smaller step, the schedule waits: its
 * due times have run.
 */
const SET_BACK_MS = 24 * 60 * 60 * 1000

/** Whether the clock has been set back so far that the checked times were never due. */
export function isSetBack(doneUntil: number, now: number): boolean {
  return now < doneUntil - SET_BACK_MS
}

/**
 * Returns the due times since `doneUntil`: one run at most, however far a clock has jumped or the gateway was
 * away. Undefined when nothing is due.
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
