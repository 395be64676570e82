import { oneLine } from '../../basics/text/printable.ts'
import type { RetryRefusal } from '../../contract/batch-requests.ts'
import type { GatewayCode } from '../../wire/gateway-codes.ts'

/**
 * - `unreachable`: there was no connection or no answer in time, or the connection was lost
 * - `refused`: the gateway rejects the token or its permissions (401, 403)
 * - `not-found`: the gateway has no such object or endpoint (404, 405)
 * - `busy`: the gateway accepts no more requests at the moment (429)
 * - `invalid`: any other 4xx
 * - `failed`: 5xx
 * - `no-gateway`: the server at this address is not a gateway
 */
export type ApiErrorKind =
  'unreachable' | 'refused' | 'not-found' | 'busy' | 'invalid' | 'failed' | 'no-gateway'

type ApiErrorFacts = Partial<Pick<ApiError, 'status' | 'isAnswerLost' | 'code' | 'present'>>

/** The message is one line, without secrets. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly kind: ApiErrorKind
  /** Undefined if there was no answer. */
  readonly status: number | undefined
  /** Whether the connection was lost after the request, so that the gateway may have executed it. */
  readonly isAnswerLost: boolean
  /** Only the embedded gateway sends a code. */
  readonly code: GatewayCode | undefined
  /** The present commit, if a retry of a batch was refused because the commit of the batch is gone. */
  readonly present: RetryRefusal['present']

  constructor(
    kind: ApiErrorKind,
    message: string,
    { status, isAnswerLost = false, code, present }: ApiErrorFacts = {},
  ) {
    super(oneLine(message))
    this.kind = kind
    this.status = status
    this.isAnswerLost = isAnswerLost
    this.code = code
    this.present = present
  }
}

/** Makes the error for a request that was sent but whose answer was lost. */
export function answerLost(url: string, reason: string): ApiError {
  return new ApiError('unreachable', `no answer from the gateway ${url}: ${reason}`, { isAnswerLost: true })
}
