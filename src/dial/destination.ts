import type { TlsOptions } from './tls.ts'

export interface Destination {
  /** `host:port` */
  readonly address: string
  /** Undefined means plaintext. */
  readonly tls: TlsOptions | undefined
}
