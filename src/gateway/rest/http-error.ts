import { httpStatus, type HttpCode, type HttpStatus } from '../../contract/statuses.ts'
import { type ConnectionRefusal, ConnectionsRefused } from '../batches/batch-refused.ts'
import { tooManyFailures } from '../people/identities/sign-in-attempts.ts'
import { RequestRefused } from '../refusals/request-refused.ts'
import { refusedCode } from '../store/errors.ts'

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

/** Too many sign-ins from one address have failed. */
export class TooManyFailures extends HttpError {
  readonly retryAfterSeconds: number

  constructor(retryAfterSeconds: number) {
    super('too-many-failed-sign-ins', tooManyFailures(retryAfterSeconds))
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** In hoop's answers about downloads the status is in the body, too. */
export class DownloadError extends HttpError {}

/** With what each of several connections says. */
class RefusalsError extends HttpError {
  readonly refusals: readonly ConnectionRefusal[]

  constructor({ code, message, refusals }: ConnectionsRefused) {
    super(code, message)
    this.refusals = refusals
  }
}

/** The body of every error: hoop's contract has the message alone. */
interface ErrorBody {
  readonly message: string
  readonly code: HttpCode
  readonly status?: HttpStatus
  readonly refusals?: readonly ConnectionRefusal[]
}

/** A gateway that is restarted is back soon after its last session. */
const DRAINING_SECONDS = 5

/** Headers that the answer has besides. */
export function errorHeaders(error: HttpError): Readonly<Record<string, string>> {
  if (error.code === 'gateway-draining') return { 'retry-after': String(DRAINING_SECONDS) }
  return error instanceof TooManyFailures ? { 'retry-after': String(error.retryAfterSeconds) } : {}
}

export function errorBody(error: HttpError): ErrorBody {
  const { message, code, status } = error
  return {
    ...(error instanceof DownloadError && { status }),
    message,
    code,
    ...(error instanceof RefusalsError && { refusals: error.refusals }),
  }
}

/** What the parts of the gateway refuse, as a request is told of it. Undefined for a bug. */
export function requestRefusal(error: Error): HttpError | undefined {
  if (error instanceof HttpError) return error
  if (error instanceof ConnectionsRefused) return new RefusalsError(error)
  const code = refusedCode(error)
  const status = error instanceof RequestRefused ? error.status : undefined
  return code === undefined ? undefined : new HttpError(code, error.message, status)
}
