import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Target } from './protocol.ts'

/** hoop's four values of SSLMODE; they are checked when a session opens (`opening/liveness.ts`). */
type SslMode = 'disable' | 'prefer' | 'require' | 'verify-full'

/** How the connection to a database is encrypted. */
export interface ServerTls {
  readonly mode: SslMode
  readonly options: ConnectionOptions
}

/**
 * Reads SSLMODE, which is `prefer` by default, and our SSLROOTCERT: certificates in PEM. With SSLROOTCERT the certificate
 * of the server is checked in each mode, without it in `verify-full` alone, and the name in `verify-full` alone.
 */
export function serverTls({ address: { host }, variable }: Pick<Target, 'address' | 'variable'>): ServerTls {
  // An empty variable counts as none.
  const given = (name: string) => (variable(name) === '' ? undefined : variable(name))
  const mode = (given('SSLMODE') ?? 'prefer') as SslMode
  const ca = given('SSLROOTCERT')
  return {
    mode,
    options: {
      host,
      ...(isIP(host) === 0 && { servername: host }),
      ...(ca !== undefined && { ca }),
      rejectUnauthorized: mode === 'verify-full' || ca !== undefined,
      ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
    },
  }
}
