import type { TlsOptions } from './tls.ts'

/** The gateway to connect to. */
export interface Destination {
  /** `host:port` */
  readonly address: string
  /** Undefined means plaintext. */
  readonly tls: TlsOptions | undefined
}
