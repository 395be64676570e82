import { oneLine } from '../../basics/text/printable.ts'
import type { RpcCode } from '../../contract/statuses.ts'

/** Ends a client's stream. The text may quote the client and is cut: too long a status never arrives. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: RpcCode

  constructor(code: RpcCode, details: string) {
    super(oneLine(details))
    this.code = code
  }
}
