import type { ScheduleRun } from '../../../automation/schedules/schedule-rows.ts'
import type { ScheduleSettings } from '../../../settings/schedules.ts'
import type { RestServices } from '../../services.ts'

export type ScheduleViewing = Pick<RestServices, 'schedules' | 'history' | 'scheduleProblems'>

/** A schedule, its next run and its last. Parameters by name alone: values may be secrets. */
export async function scheduleView(services: ScheduleViewing, schedule: ScheduleSettings): Promise<object> {
  const { schedules, scheduleProblems } = services
  const { name, cron, timezone, connection, runbook, parameters, as, catchesUp, lock, enabled } = schedule
  const state = schedules.state(name)
  const [last] = schedules.runs(name, 1)
  return {
    ...{ name, cron, timezone, connection, runbook, as, enabled },
    parameters: Object.keys(parameters),
    catch_up: catchesUp ? 'once' : 'none',
    lock: lock ?? null,
    next_run: dateOf(schedules.next(schedule) ?? null),
    paused_at: dateOf(state?.pausedAt ?? null),
    paused_by: state?.pausedBy ?? null,
    problem: (await scheduleProblems.of(schedule)) ?? null,
    last_run: last === undefined ? null : runView(services, last),
  }
}

export function runView(services: ScheduleViewing, run: ScheduleRun): object {
  const { id, dueAt, at, by, code, reason, session, exitCode } = run
  return {
    id,
    due_at: dateOf(dueAt),
    at: dateOf(at),
    by,
    status: statusOf(services, run),
    code,
    reason,
    session_id: session,
    exit_code: exitCode,
  }
}

function statusOf({ history }: ScheduleViewing, { outcome, session: sid, exitCode }: ScheduleRun): string {
  if (outcome === 'ended') return exitCode === 0 ? 'success' : 'failed'
  if (outcome !== 'started' || sid === null) return outcome
  const session = history.session(sid)
  if (session?.status === 'ready') return 'approved'
  return session?.review?.status === 'PENDING' ? 'waiting' : 'running'
}

function dateOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
