import { type ConnectionRefusal, RequestRefused } from '../refusals/request-refused.ts'
import type { ConnectionSettings } from '../settings/settings.ts'

/** Maximum number of connections that the message names. The list of refusals has all connections. */
const NAMED = 5

export function batchRefused(refusals: readonly ConnectionRefusal[], total: number): RequestRefused {
  const named = refusals.slice(0, NAMED).map(({ connection, message }) => `${connection}: ${message}`)
  const more = refusals.length > NAMED ? `; and ${refusals.length - NAMED} more` : ''
  const text = `nothing has run, ${refusals.length} of ${total} connections refuse: ${named.join('; ')}${more}`
  return new RequestRefused('batch-refused', text, undefined, { refusals })
}

/** Checks all connections before it throws. @throws RequestRefused */
export function checkEach(
  connections: readonly ConnectionSettings[],
  check: (connection: ConnectionSettings) => void,
): void {
  const refusals = connections.flatMap((connection) =>
    connectionRefusal(connection.name, () => check(connection)),
  )
  if (refusals.length > 0) throw batchRefused(refusals, connections.length)
}

export function connectionRefusal(connection: string, check: () => void): ConnectionRefusal[] {
  try {
    check()
    return []
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error
    return [{ connection, code: error.code, message: error.message }]
  }
}
