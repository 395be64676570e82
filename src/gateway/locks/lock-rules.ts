import { isPathFor } from '../runbooks/path-pattern.ts'
import type { SessionRequest } from '../sessions/session-request.ts'
import type { LockSettings } from '../settings/locks.ts'

/** Names of the locks that a session needs to run: those whose rules are for its runbook and connection. */
export function lockNames(locks: readonly LockSettings[], request: SessionRequest): readonly string[] {
  const { origin, connection, labels } = request
  const file = labels['runbookFile']
  if (origin !== 'client-api-runbooks' || file === undefined) return []
  const isFor = (lock: LockSettings) =>
    isOn(lock, connection.name) && lock.runbooks.some((pattern) => isPathFor(pattern, file))
  return locks.filter(isFor).map(({ name }) => name)
}

/** Whether runbooks on this connection may need it. */
export function isOn({ connections }: LockSettings, connection: string): boolean {
  return connections === undefined || connections.includes(connection)
}
