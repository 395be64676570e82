import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Target } from './protocol.ts'

/** hoop's four values of SSLMODE. `opening/liveness.ts` checks the value when a session opens. */
type SslMode = 'disable' | 'prefer' | 'require' | 'verify-full'

export interface ServerTls {
  readonly mode: SslMode
  readonly options: ConnectionOptions
}

/**
 * Reads SSLMODE and SSLROOTCERT (certificates in PEM; hoop does not have this variable). The certificate is
 * checked if SSLROOTCERT is set or the mode is `verify-full`. The server's name is checked only in
 * `verify-full`.
 */
export function serverTls({ address: { host }, variable }: Pick<Target, 'address' | 'variable'>): ServerTls {
  // An empty variable counts as missing.
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
