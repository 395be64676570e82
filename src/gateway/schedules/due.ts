import { lastTime, nextTime, type CronRule } from '../settings/due-times.ts'

interface DueRule extends CronRule {
  /** True if the last missed due time is run late instead of being skipped. */
  readonly catchesUp: boolean
}

/** What is due. Times are in ms since 1970. */
export interface Due {
  /** The first and the last of the due times that are left out. */
  readonly missed?: { readonly from: number; readonly until: number }
  /** The due time that runs now. */
  readonly run?: number
  /** Due times until this time have been checked. */
  readonly doneUntil: number
}

/**
 * A run that is late by at most this time still counts as in time, for example after a restart or on a busy
 * machine.
 */
const GRACE_MS = 60_000
/**
 * If the clock goes back by more than this time, it was wrong before. After a smaller step back, the schedule
 * waits, because its due times have already run.
 */
const SET_BACK_MS = 24 * 60 * 60 * 1000

/** Tells whether the clock was set back so far that the checked times were never due. */
export function isSetBack(doneUntil: number, now: number): boolean {
  return now < doneUntil - SET_BACK_MS
}

/** Returns at most one run, even if the clock has jumped far or the gateway was down for long. */
export function dueNow(rule: DueRule, doneUntil: number, now: number): Due | undefined {
  if (isSetBack(doneUntil, now)) return { doneUntil: now }
  const first = nextTime(rule, doneUntil)
  if (first === undefined || first > now) return undefined
  const last = lastTime(rule, doneUntil, now) ?? first
  const isLate = last < now - GRACE_MS
  if (isLate && !rule.catchesUp) return { missed: { from: first, until: last }, doneUntil: last }
  return { run: last, doneUntil: last, ...(first < last && { missed: { from: first, until: last } }) }
}
