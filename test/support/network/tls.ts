import { ServerCredentials } from '@grpc/grpc-js'
import type { Issued } from './certificates.ts'

/** Of a gateway with this certificate; one that names an authority for its clients demands theirs. */
export function serverCredentials({ certificate, key }: Issued, clientAuthority?: string): ServerCredentials {
  const pair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) }
  const demands = clientAuthority !== undefined
  return ServerCredentials.createSsl(demands ? Buffer.from(clientAuthority) : null, [pair], demands)
}
