import { ConnectionsRefused, type ConnectionRefusal } from '../../batches/batch-refused.ts'
import { BatchRunRefused } from '../../batches/run-request.ts'
import { TicketRefused } from '../../jira/ticket-refused.ts'
import type { ConnectionSettings } from '../../settings/settings.ts'
import { HttpError } from '../http/http-error.ts'

/** Asks all before it throws. @throws ConnectionsRefused */
export function checkEach(
  connections: readonly ConnectionSettings[],
  check: (connection: ConnectionSettings) => void,
): void {
  const refusals = connections.flatMap((connection) =>
    connectionRefusal(connection.name, () => check(connection)),
  )
  if (refusals.length > 0) throw new ConnectionsRefused(refusals, connections.length)
}

/** @returns one, or none */
export function connectionRefusal(connection: string, check: () => void): ConnectionRefusal[] {
  try {
    check()
    return []
  } catch (error) {
    const isRefusal =
      error instanceof HttpError || error instanceof BatchRunRefused || error instanceof TicketRefused
    if (!isRefusal) throw error
    return [{ connection, code: error.code, message: error.message }]
  }
}
