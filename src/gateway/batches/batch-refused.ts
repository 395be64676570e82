import type { HttpCode } from '../../contract/statuses.ts'
import { RequestRefused } from '../refusals/request-refused.ts'
import type { ConnectionSettings } from '../settings/settings.ts'

/** Why a connection stops a batch from beginning. */
export interface ConnectionRefusal {
  readonly connection: string
  readonly code: HttpCode
  readonly message: string
}

/** Connections refuse a batch before it begins: nothing has run. */
export class ConnectionsRefused extends RequestRefused {
  override readonly name = 'ConnectionsRefused'
  readonly refusals: readonly ConnectionRefusal[]

  constructor(refusals: readonly ConnectionRefusal[], total: number) {
    const named = refusals.slice(0, NAMED).map(({ connection, message }) => `${connection}: ${message}`)
    const more = refusals.length > NAMED ? `; and ${refusals.length - NAMED} more` : ''
    super(
      'batch-refused',
      `nothing has run, ${refusals.length} of ${total} connections refuse: ${named.join('; ')}${more}`,
    )
    this.refusals = refusals
  }
}

/** Connections named in the message. The list of refusals has all of them. */
const NAMED = 5

/** Checks all connections before it throws. @throws ConnectionsRefused */
export function checkEach(
  connections: readonly ConnectionSettings[],
  check: (connection: ConnectionSettings) => void,
): void {
  const refusals = connections.flatMap((connection) =>
    connectionRefusal(connection.name, () => check(connection)),
  )
  if (refusals.length > 0) throw new ConnectionsRefused(refusals, connections.length)
}

/** @returns the refusal as a list of one; empty when the check passes */
export function connectionRefusal(connection: string, check: () => void): ConnectionRefusal[] {
  try {
    check()
    return []
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error
    return [{ connection, code: error.code, message: error.message }]
  }
}
