import { Secret } from '../../basics/secret.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import { hostOf, serverAddress } from '../../dial/address.ts'
import type { Destination, TlsOptions } from '../../dial/tls.ts'

/** `token` is the whole credential: never log it. */
export interface Identity extends Destination {
  /** The host, without brackets. */
  readonly host: string
  /** The agent's name, for the log; empty if the credential contains none. */
  readonly name: string
  readonly token: Secret
  /**
   * Whether the agent connects only while a session waits, and adds its own environment (protocol.md 2.5).
   */
  readonly embedded: boolean
}

/** Keys, SVIDs and certificates may be renewed on disk. */
export interface IdentitySource {
  /** The last valid identity. */
  readonly current: Identity
  /** Call before each attempt. Keeps the current identity if no other valid one is found. Never throws. */
  refresh(): Identity
  /** Whether `refresh` would find another credential or certificate. Never throws. */
  isRenewed(): boolean
}

const TLS_SCHEMES = new Set(['grpcs:', 'https:', 'wss:'])
const PLAIN_SCHEMES = new Set(['grpc:', 'http:', 'ws:'])
/** Length of the path in a key of the old form: `/` and 64 characters. */
const OLD_PATH_LENGTH = 65

/**
 * Reads `scheme://name:secret@host:port?mode=` (protocol.md 2.4). The whole text is the token.
 * @param source name of the key's setting, for errors
 * @param tls used only if the scheme asks for TLS
 * @throws SetUpError
 */
export function parseKey(key: string, source: string, tls: TlsOptions = {}): Identity {
  const url = parseUrl(key, source)
  const isOld = url.pathname.length === OLD_PATH_LENGTH
  if (!isOld && url.password === '') throw wrong(source, 'secret key not found in dsn')
  const address = serverAddress(key)
  if (address === undefined) throw wrong(source, 'server address is in wrong format: the port is missing')
  return {
    address,
    host: hostOf(address),
    tls: TLS_SCHEMES.has(url.protocol) ? tls : undefined,
    name: isOld ? '' : url.username,
    token: new Secret(key),
    embedded: isOld || url.searchParams.get('mode') === 'embedded',
  }
}

/** The parts of an identity whose token does not contain the gateway's address. */
interface TokenIdentity {
  readonly token: Secret
  /** The gateway's address. A scheme is optional and has no effect. */
  readonly gateway: string
  readonly name: string
  /** Undefined means plaintext. */
  readonly tls: TlsOptions | undefined
}

/**
 * Returns the identity of a JWT-SVID or a legacy token. The token is sent unchanged.
 * @param source name of the address's setting, for errors
 * @throws SetUpError
 */
export function tokenIdentity({ token, gateway, name, tls }: TokenIdentity, source: string): Identity {
  const address = serverAddress(gateway)
  if (address === undefined) throw wrong(source, 'server address is in wrong format: host:port')
  return { address, host: hostOf(address), tls, name, token, embedded: false }
}

function parseUrl(key: string, source: string): URL {
  if (/[^\x21-\x7e]/.test(key))
    throw wrong(source, 'the key contains a space, a line break or a character outside ASCII')
  let url: URL
  try {
    url = new URL(key)
  } catch {
    throw wrong(source, 'the key does not have the form grpc://name:secret@host:port?mode=standard')
  }
  if (!TLS_SCHEMES.has(url.protocol) && !PLAIN_SCHEMES.has(url.protocol)) {
    throw wrong(source, `unknown scheme ${url.protocol}// (grpc:// and grpcs:// are known)`)
  }
  return url
}

function wrong(source: string, reason: string): SetUpError {
  return new SetUpError(`${source} is in wrong format, reason=${reason}`)
}
