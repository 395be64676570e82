import { httpStatus, type HttpCode, type HttpStatus } from '../../contract/statuses.ts'

/** What an answer says besides. */
interface Details {
  /** For the header `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** Whether the body says the status, too: it does in hoop's answers about downloads. */
  readonly isStatusInBody?: boolean
}

/** What was asked for is not possible, or not for this user. Nothing has changed, nothing has run. */
export class RequestRefused extends Error {
  override readonly name: string = 'RequestRefused'
  readonly code: HttpCode
  readonly status: HttpStatus
  readonly details: Details

  /** @param status where it is not the usual one of the code */
  constructor(code: HttpCode, message: string, status: HttpStatus = httpStatus(code), details: Details = {}) {
    super(message)
    this.code = code
    this.status = status
    this.details = details
  }
}

/** A sign-in by a browser or a device came to nothing. */
export class SignInRefused extends RequestRefused {
  override readonly name = 'SignInRefused'
}
