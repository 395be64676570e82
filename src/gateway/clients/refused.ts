import type { Code } from '../packet-call.ts'

/** A client's stream ends with this status. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: Code

  constructor(code: Code, details: string) {
    super(details)
    this.code = code
  }
}
