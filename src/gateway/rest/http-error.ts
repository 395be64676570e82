import type { RetryRefusal } from '../../contract/batch-requests.ts'
import type { ChoicesRefusal } from '../../contract/choices.ts'
import type { HttpCode } from '../../contract/statuses.ts'
import { type ConnectionRefusal, RequestRefused } from '../refusals/request-refused.ts'
import { refusedCode } from '../store/errors.ts'

/** hoop's contract has only `message`. */
interface ErrorBody extends RetryRefusal, ChoicesRefusal {
  readonly message: string
  readonly code: HttpCode
  readonly status?: number
  readonly refusals?: readonly ConnectionRefusal[]
}

/**
 * Value of `Retry-After` while the gateway drains. A restarted gateway answers again soon after its last
 * session has ended.
 */
const DRAINING_SECONDS = 5

export function errorHeaders({ code, extras }: RequestRefused): Readonly<Record<string, string>> {
  const seconds = code === 'gateway-draining' ? DRAINING_SECONDS : extras.retryAfterSeconds
  return seconds === undefined ? {} : { 'retry-after': String(seconds) }
}

export function errorBody(error: RequestRefused): ErrorBody {
  const { message, code, status, extras } = error
  return {
    ...(extras.isStatusInBody === true && { status }),
    message,
    code,
    ...(extras.refusals !== undefined && { refusals: extras.refusals }),
    ...extras.retry,
    ...extras.choices,
  }
}

/** Returns undefined if the error is a bug. */
export function requestRefusal(error: Error): RequestRefused | undefined {
  if (error instanceof RequestRefused) return error
  const code = refusedCode(error)
  return code === undefined ? undefined : new RequestRefused(code, error.message)
}
