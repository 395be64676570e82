import { oneLine } from '../../basics/text/one-line.ts'
import type { Code } from '../agents/packet-call.ts'

/** A client's stream ends with this status. What the client wrote may be in it: a status that is too long never arrives. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: Code

  constructor(code: Code, details: string) {
    super(oneLine(details))
    this.code = code
  }
}
