import type { SessionRequest } from '../sessions/session-request.ts'
import { SCHEDULE_LABEL } from '../settings/schedule-labels.ts'
import type { LockSettings } from '../settings/locks.ts'
import type { ScheduleSettings } from '../settings/schedules.ts'

interface LockedSettings {
  readonly locks: readonly LockSettings[]
  readonly schedules: readonly ScheduleSettings[]
}

/** Names of the locks that a session needs to run: those whose rules are for its runbook and connection, and that of its schedule. */
export function lockNames({ locks, schedules }: LockedSettings, request: SessionRequest): readonly string[] {
  const { origin, connection, labels } = request
  const file = labels['runbookFile']
  if (origin !== 'client-api-runbooks' || file === undefined) return []
  const isFor = (lock: LockSettings) =>
    isOn(lock, connection.name) && lock.runbooks.some((pattern) => pattern.isFor(file))
  const schedule = schedules.find(({ name }) => name === labels[SCHEDULE_LABEL])
  const own = schedule?.lock === undefined ? [] : [schedule.lock]
  return [...locks.filter(isFor).map(({ name }) => name), ...own]
}

/** Whether runbooks on this connection may need it. */
export function isOn({ connections }: LockSettings, connection: string): boolean {
  return connections === undefined || connections.includes(connection)
}
