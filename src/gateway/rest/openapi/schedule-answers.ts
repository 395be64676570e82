import * as v from 'valibot'

// What is answered of schedules and locks, as in answers.ts.

const text = v.string()
const whole = v.pipe(v.number(), v.integer())

const scheduleRun = {
  id: text,
  due_at: v.nullable(text),
  at: text,
  by: v.nullable(text),
  status: v.picklist(['starting', 'waiting', 'approved', 'running', 'success', 'failed', 'skipped']),
  code: v.nullable(text),
  reason: v.nullable(text),
  session_id: v.nullable(text),
  exit_code: v.nullable(whole),
}

/** One run of a schedule. */
export const scheduleRunAnswer = v.strictObject(scheduleRun)

const schedule = {
  ...{ name: text, cron: text, timezone: text, connection: text, runbook: text, as: text },
  enabled: v.boolean(),
  parameters: v.array(text),
  catch_up: v.picklist(['none', 'once']),
  lock: v.nullable(text),
  next_run: v.nullable(text),
  paused_at: v.nullable(text),
  paused_by: v.nullable(text),
  problem: v.nullable(text),
  last_run: v.nullable(scheduleRunAnswer),
}

export const listedScheduleAnswer = v.strictObject(schedule)
export const scheduleAnswer = v.strictObject({ ...schedule, runs: v.array(scheduleRunAnswer) })

const lockSession = v.strictObject({ session_id: text, user: text, since: text })

export const lockAnswer = v.strictObject({
  name: text,
  runbooks: v.array(text),
  connections: v.nullable(v.array(text)),
  holder: v.nullable(lockSession),
  waiting: v.array(lockSession),
})
