import type { GatewayCode } from '../wire/gateway-codes.ts'

/**
 * An error of the connection. Its `kind` decides the message and how long the agent waits before the next
 * attempt.
 */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly kind: 'refused' | 'conflict' | 'lost'
  /** The gRPC status with which the gateway ended the stream, such as NOT_FOUND. */
  readonly status: string | undefined

  /** Only the embedded gateway sends a code. */
  readonly code: GatewayCode | undefined

  constructor(kind: ConnectError['kind'], message: string, status?: string, code?: GatewayCode) {
    super(message)
    this.kind = kind
    this.status = status
    this.code = code
  }
}
