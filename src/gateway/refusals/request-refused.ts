import type { RetryRefusal } from '../../contract/batch-requests.ts'
import type { ChoicesRefusal } from '../../contract/choices.ts'
import { httpStatus, type HttpCode, type HttpStatus } from '../../contract/statuses.ts'

export interface ConnectionRefusal {
  readonly connection: string
  readonly code: HttpCode
  readonly message: string
}

interface Details {
  /** Value of the header `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** True if the body also contains the status, as in hoop's answers about downloads. */
  readonly isStatusInBody?: boolean
  readonly refusals?: readonly ConnectionRefusal[]
  readonly retry?: RetryRefusal
  readonly choices?: ChoicesRefusal
}

/** The request is impossible or not permitted. It has changed nothing and run nothing. */
export class RequestRefused extends Error {
  override readonly name: string = 'RequestRefused'
  readonly code: HttpCode
  readonly status: HttpStatus
  readonly details: Details

  /** @param status only if it differs from the code's usual status */
  constructor(code: HttpCode, message: string, status: HttpStatus = httpStatus(code), details: Details = {}) {
    super(message)
    this.code = code
    this.status = status
    this.details = details
  }
}

/** A sign-in by a browser or a device has failed. */
export class SignInRefused extends RequestRefused {
  override readonly name = 'SignInRefused'
}
