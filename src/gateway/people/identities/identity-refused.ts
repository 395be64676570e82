import type { HttpCode, HttpStatus } from '../../statuses.ts'

/** Something about users or tokens is not possible, or not for this user. Nothing has changed. */
export class IdentityRefused extends Error {
  override readonly name = 'IdentityRefused'
  readonly code: HttpCode
  /** Undefined: the usual one of the code. */
  readonly status: HttpStatus | undefined

  constructor(code: HttpCode, message: string, status?: HttpStatus) {
    super(message)
    this.code = code
    this.status = status
  }
}
