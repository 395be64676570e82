import { httpStatus, type HttpCode, type HttpStatus } from '../../contract/statuses.ts'

/** Why a connection stops a batch from beginning. */
export interface ConnectionRefusal {
  readonly connection: string
  readonly code: HttpCode
  readonly message: string
}

interface Details {
  /** Value of the header `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** Whether the body has the status, too, as in hoop's answers about downloads. */
  readonly isStatusInBody?: boolean
  /** All connections that refuse a batch. */
  readonly refusals?: readonly ConnectionRefusal[]
}

/** A request that is not possible, or not for this user. Nothing has changed, nothing has run. */
export class RequestRefused extends Error {
  override readonly name: string = 'RequestRefused'
  readonly code: HttpCode
  readonly status: HttpStatus
  readonly details: Details

  /** @param status only where it is not the code's usual one */
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
