import { oneLine } from '../../basics/text/printable.ts'
import type { GatewayCode } from '../../wire/gateway-codes.ts'

/**
 * - `unreachable`: no connection, no answer in time, or it broke off
 * - `refused`: the token is not allowed to (401, 403)
 * - `not-found`: the gateway does not have this, or no such endpoint (404, 405)
 * - `busy`: the gateway takes no more at the moment (429)
 * - `invalid`: the gateway does not accept what was sent (other 4xx)
 * - `failed`: the gateway had an error (5xx)
 * - `no-gateway`: something else answers there
 */
export type ApiErrorKind =
  'unreachable' | 'refused' | 'not-found' | 'busy' | 'invalid' | 'failed' | 'no-gateway'

type ApiErrorFacts = Partial<Pick<ApiError, 'status' | 'isAnswerLost' | 'code'>>

/** A request failed. The message is one line that says what failed, without secrets. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly kind: ApiErrorKind
  /** The HTTP status; undefined when there was no answer. */
  readonly status: number | undefined
  /** Whether the gateway may have done what it was asked for: the connection broke after the request was sent. */
  readonly isAnswerLost: boolean
  /** The reason, when the embedded gateway gives one. */
  readonly code: GatewayCode | undefined

  constructor(
    kind: ApiErrorKind,
    message: string,
    { status, isAnswerLost = false, code }: ApiErrorFacts = {},
  ) {
    super(oneLine(message))
    this.kind = kind
    this.status = status
    this.isAnswerLost = isAnswerLost
    this.code = code
  }
}

/** For a failure after the request was sent. */
export function answerLost(url: string, reason: string): ApiError {
  return new ApiError('unreachable', `no answer from the gateway ${url}: ${reason}`, { isAnswerLost: true })
}
