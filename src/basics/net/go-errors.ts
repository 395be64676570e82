import { type Address, formatAddress } from './address.ts'

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ETIMEDOUT: 'i/o timeout',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
}

/** Formats a failed connection as Go's dialer does, because users of hoop search for these texts. */
export function goDialError(error: NodeJS.ErrnoException, { host, port }: Address): string {
  const code = error.code ?? error.message
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${host}: no such host`
  return `dial tcp ${formatAddress({ host, port })}: ${REASONS[code] ?? code}`
}

const UNKNOWN_AUTHORITY =
  /^(?:UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|CERT_UNTRUSTED|CERT_SIGNATURE)/
const BAD_CERTIFICATE = 'tls: failed to verify certificate: x509: certificate'

/**
 * Formats why a request got no answer. Errors that users search for have the texts of Go's client. Others
 * have Node's text, which quotes no header.
 */
export function goHttpError(error: NodeJS.ErrnoException, { host, port }: Address): string {
  const {
    code = '',
    message,
    syscall,
    errors,
  } = error as NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] }
  const [first] = errors ?? []
  if (first !== undefined) return goHttpError(first, { host, port })
  if (syscall === 'connect' || syscall === 'getaddrinfo')
    return goDialError(error, { host: addressIn(error) ?? host, port })
  if (UNKNOWN_AUTHORITY.test(code)) return `${BAD_CERTIFICATE} signed by unknown authority`
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return `${BAD_CERTIFICATE} has expired or is not yet valid`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${BAD_CERTIFICATE} is not valid for ${host}`
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO')
    return 'http: server gave HTTP response to HTTPS client'
  if (code === 'ERR_INVALID_CHAR')
    return `net/http: invalid header field value for ${/"X-[\w-]+"/.exec(message)?.[0] ?? 'a header'}`
  if (code === 'ECONNRESET') return 'EOF'
  return message
}

function addressIn(error: object): string | undefined {
  return 'address' in error && typeof error.address === 'string' ? error.address : undefined
}
