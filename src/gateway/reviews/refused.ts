import type { HttpCode, HttpStatus } from '../statuses.ts'

/** Something about a review is not possible, or not for this user. Nothing has changed, nothing has run. */
export class ReviewRefused extends Error {
  override readonly name = 'ReviewRefused'
  readonly code: HttpCode
  /** Undefined: the usual one of the code. */
  readonly status: HttpStatus | undefined

  constructor(code: HttpCode, message: string, status?: HttpStatus) {
    super(message)
    this.code = code
    this.status = status
  }
}
