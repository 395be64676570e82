import { oneLine } from '../../basics/text/one-line.ts'
import type { GatewayCode } from '../../wire/gateway-codes.ts'

/**
 * - `unreachable`: no answer: no connection, none in time, or it broke
 * - `refused`: this token may not (401, 403)
 * - `not-found`: a gateway that knows no such thing, or no such endpoint (404, 405)
 * - `busy`: the gateway does not take more at the moment (429)
 * - `invalid`: the gateway does not take what was sent (other 4xx)
 * - `failed`: the gateway could not (5xx)
 * - `no-gateway`: what answers is something else
 */
export type ApiErrorKind =
  'unreachable' | 'refused' | 'not-found' | 'busy' | 'invalid' | 'failed' | 'no-gateway'

type ApiErrorFacts = Partial<Pick<ApiError, 'status' | 'isAnswerLost' | 'code'>>

/** A request without its answer. The message is one line that says what failed; it holds no secret. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly kind: ApiErrorKind
  /** Of HTTP; undefined when there was no answer. */
  readonly status: number | undefined
  /** The gateway may have done what it was asked for: the way to it broke when that had been sent. */
  readonly isAnswerLost: boolean
  /** Why, where the embedded gateway says it. */
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

/** For what happens when a question has been sent. */
export function answerLost(url: string, reason: string): ApiError {
  return new ApiError('unreachable', `no answer from the gateway ${url}: ${reason}`, { isAnswerLost: true })
}
