import { httpStatus, type HttpCode, type HttpStatus } from '../statuses.ts'

/** Ends a request with a status and an `ErrorBody`. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly code: HttpCode
  readonly status: HttpStatus

  /** @param status where it is not the usual one of the code */
  constructor(code: HttpCode, message: string, status: HttpStatus = httpStatus(code)) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** The body of every error: hoop's contract has the message alone. */
export interface ErrorBody {
  readonly message: string
  readonly code: HttpCode
}

export function errorBody({ message, code }: HttpError): ErrorBody {
  return { message, code }
}
