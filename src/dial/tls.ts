import { isIP, type Socket } from 'node:net'
import type { PeerCertificate, SecureContext, TLSSocket } from 'node:tls'
import type { Secret } from '../basics/secret.ts'
import { hostOf } from './address.ts'

// Loaded only for TLS. Without this module, commands for a gateway on this machine take a third less time.
const tlsModule = () => process.getBuiltinModule('node:tls')

/** The texts are PEM. */
export interface TlsOptions {
  /** The authorities that may sign the gateway's certificate (default: Node's authorities). */
  readonly authorities?: readonly string[]
  /** The name in the gateway's certificate (default: the host). */
  readonly serverName?: string
  readonly skipVerify?: boolean
  readonly client?: { readonly certificate: string; readonly key: Secret }
}

export interface Destination {
  /** The address in the form `host:port`. */
  readonly address: string
  /** Undefined means a connection without TLS. */
  readonly tls: TlsOptions | undefined
}

/** Reads more than a hundred authorities, so call this function only once per attempt. */
export function secureContext({ authorities, client }: TlsOptions): SecureContext {
  return tlsModule().createSecureContext({
    ...(authorities !== undefined && { ca: [...authorities] }),
    ...(client !== undefined && { cert: client.certificate, key: client.key.reveal() }),
  })
}

/**
 * Rejects with Node's error, which `explainTls` explains. If the socket ends, the handshake ends, too.
 * @param address host:port of the gateway
 */
export function secure(
  socket: Socket,
  address: string,
  { serverName, skipVerify }: TlsOptions,
  secureContext: SecureContext,
  protocol: 'h2' | 'http/1.1' = 'h2',
): Promise<TLSSocket> {
  const host = hostOf(address)
  const name = serverName ?? host
  return new Promise((resolve, reject) => {
    const tls = tlsModule().connect({
      socket,
      secureContext,
      // The certificate is checked against this name. An IP address is not allowed as a server name (RFC
      // 6066).
      host: name,
      ...(isIP(name) === 0 && { servername: name }),
      rejectUnauthorized: skipVerify !== true,
      ALPNProtocols: [protocol],
    })
    tls.once('secureConnect', () => resolve(tls))
    tls.once('error', reject)
    tls.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
  })
}

/** Codes for a certificate whose chain does not lead to a known authority. */
const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
])

/** Codes for a peer that did not answer with TLS, but for example with HTTP. */
const NO_TLS = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_UNEXPECTED_MESSAGE',
  'EPROTO',
])

/** Codes for a gateway that wants a client certificate. With TLS 1.2 the gateway cannot send this reason. */
const NO_CLIENT_CERTIFICATE = new Set([
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
])

const CLIENT_CERTIFICATE_REFUSED =
  /ALERT_(?:BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_(?:EXPIRED|REVOKED|UNKNOWN)|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|DECRYPT_ERROR)$/

/** Returns a text for the operator of the agent, or undefined for an error that needs no explanation. */
export function explainTls(
  error: NodeJS.ErrnoException,
  address: string,
  options: TlsOptions,
): string | undefined {
  const { code = '' } = error
  const gateway = `the certificate of ${address}`
  if (UNKNOWN_AUTHORITY.has(code))
    return `${gateway} is signed by an authority that this program does not know (${code}): set tls.ca (HOOP_TLSCA) to the authority's certificate`
  if (code === 'CERT_HAS_EXPIRED') return `${gateway} has expired, or this machine's clock is wrong`
  if (code === 'CERT_NOT_YET_VALID') return `${gateway} is not valid yet, or this machine's clock is wrong`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `${gateway} is for other names (${certificateNames(error)}): use one of these names, or set tls.server-name (HOOP_TLSSERVERNAME)`
  if (NO_TLS.has(code))
    return `${address} does not speak TLS: a wrong port, or a gateway without TLS (grpc://, http://)`
  return explainAlert(code, address, options)
}

function explainAlert(code: string, address: string, { client }: TlsOptions): string | undefined {
  if (code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
    return `${address} does not speak HTTP/2: is this the gateway's gRPC port?`
  if (CLIENT_CERTIFICATE_REFUSED.test(code))
    return `${address} does not accept the certificate in tls.cert (${code})`
  if (!NO_CLIENT_CERTIFICATE.has(code)) return undefined
  return client === undefined
    ? `${address} demands a client certificate: set tls.cert and tls.key`
    : `${address} ended the TLS handshake (${code}): perhaps it does not accept the certificate in tls.cert`
}

/**
 * Returns the names that Node puts into the error, for example `DNS:gateway.example.com, IP
 * Address:10.0.0.1`.
 */
function certificateNames(error: object): string {
  const { subjectaltname } = (error as { readonly cert?: Partial<PeerCertificate> }).cert ?? {}
  return (subjectaltname ?? 'none').slice(0, 200)
}
