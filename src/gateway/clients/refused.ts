import { oneLine } from '../../basics/text/one-line.ts'
import type { RpcCode } from '../statuses.ts'

/**
 * Ends a client's stream with the status of this code. The text may quote the client, so it is cut: a status that is too
 * long never arrives.
 */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: RpcCode

  constructor(code: RpcCode, details: string) {
    super(oneLine(details))
    this.code = code
  }
}
