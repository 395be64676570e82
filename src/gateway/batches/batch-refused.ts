import type { HttpCode } from '../../contract/statuses.ts'

/** Something about a batch is not possible. Nothing has changed, nothing has run. */
export class BatchRefused extends Error {
  override readonly name = 'BatchRefused'
  readonly code: HttpCode

  constructor(code: HttpCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Why a connection keeps a batch from its beginning. */
export interface ConnectionRefusal {
  readonly connection: string
  readonly code: HttpCode
  readonly message: string
}

/** Connections do not let it begin. */
export class ConnectionsRefused extends BatchRefused {
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

/** In the sentence. The list has all. */
const NAMED = 5
