import { oneLine } from '../../basics/text/one-line.ts'
import type { Code } from '../agents/packet-call.ts'

/**
 * Ends a client's stream with this status. The text may quote the client, so it is cut: a status that is too long never
 * arrives.
 */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: Code

  constructor(code: Code, details: string) {
    super(oneLine(details))
    this.code = code
  }
}
