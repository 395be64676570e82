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

/** In hoop's answers about downloads the status is in the body, too. */
export class DownloadError extends HttpError {}

/** The body of every error: hoop's contract has the message alone. */
export interface ErrorBody {
  readonly message: string
  readonly code: HttpCode
  readonly status?: HttpStatus
}

export function errorBody(error: HttpError): ErrorBody {
  const { message, code, status } = error
  return { ...(error instanceof DownloadError && { status }), message, code }
}
