import { oneLine } from '../../basics/text/printable.ts'
import type { GatewayCode } from '../../wire/gateway-codes.ts'

/**
 * - `unreachable`: no connection, no answer in time, or the connection was lost
 * - `refused`: the gateway rejects the token or its permissions (401, 403)
 * - `not-found`: the gateway has no such object, or no such endpoint (404, 405)
 * - `busy`: the gateway accepts no more requests at the moment (429)
 * - `invalid`: the gateway does not accept the request (other 4xx)
 * - `failed`: the gateway had an error (5xx)
 * - `no-gateway`: the server at this address is not a gateway
 */
export type ApiErrorKind =
  'unreachable' | 'refused' | 'not-found' | 'busy' | 'invalid' | 'failed' | 'no-gateway'

type ApiErrorFacts = Partial<Pick<ApiError, 'status' | 'isAnswerLost' | 'code'>>

/** A failed request. The message is one line with the failure, without secrets. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly kind: ApiErrorKind
  /** The HTTP status; undefined when there was no answer. */
  readonly status: number | undefined
  /**
   * Whether the connection was lost after the request was sent, so that the gateway may have
   * executed the request.
   */
  readonly isAnswerLost: boolean
  /** The code of the reason, which only the embedded gateway sends. */
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

/** Creates the error for a failure after the request was sent. */
export function answerLost(url: string, reason: string): ApiError {
  return new ApiError('unreachable', `no answer from the gateway ${url}: ${reason}`, { isAnswerLost: true })
}
