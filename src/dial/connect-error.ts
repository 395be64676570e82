import type { GatewayCode } from '../wire/gateway-codes.ts'

/**
 * A stream that failed or ended. `kind` decides the message and how long an agent waits before the next
 * attempt.
 */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly kind: 'refused' | 'conflict' | 'lost'
  /**
   * The gRPC status with which the gateway ended the stream, such as NOT_FOUND; undefined when it did not end
   * it.
   */
  readonly status: string | undefined

  /** The reason as a code. Only the embedded gateway sends one. */
  readonly code: GatewayCode | undefined

  constructor(kind: ConnectError['kind'], message: string, status?: string, code?: GatewayCode) {
    super(message)
    this.kind = kind
    this.status = status
    this.code = code
  }
}
