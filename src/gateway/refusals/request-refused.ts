import type { HttpCode, HttpStatus } from '../../contract/statuses.ts'

/** What was asked for is not possible, or not for this user. Nothing has changed, nothing has run. */
export class RequestRefused extends Error {
  readonly code: HttpCode
  /** Undefined: the usual one of the code. */
  readonly status: HttpStatus | undefined

  constructor(code: HttpCode, message: string, status?: HttpStatus) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** A sign-in by a browser or a device came to nothing. */
export class SignInRefused extends RequestRefused {
  override readonly name = 'SignInRefused'
}
