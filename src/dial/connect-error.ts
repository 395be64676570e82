import type { GatewayCode } from '../wire/gateway-codes.ts'

/** The stream could not be opened, or has ended. `kind` decides what is said and how long an agent waits. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly kind: 'refused' | 'conflict' | 'lost'
  /**
   * The name of the gRPC status with which the gateway ended the stream, such as NOT_FOUND; undefined when the gateway
   * did not end it.
   */
  readonly status: string | undefined

  /** Why, where the embedded gateway says it. */
  readonly code: GatewayCode | undefined

  constructor(kind: ConnectError['kind'], message: string, status?: string, code?: GatewayCode) {
    super(message)
    this.kind = kind
    this.status = status
    this.code = code
  }
}
