import { Secret } from '../basics/secret.ts'

/** How the agent introduces itself and where it goes. `token` is the whole credential: never log it. */
export interface Identity {
  /** `host:port` */
  readonly address: string
  readonly host: string
  readonly tls: boolean
  /** The agent's name, for the log; empty in old credentials. */
  readonly name: string
  readonly token: Secret
}

/** The credential cannot be used; the message names the setting it came from, never the credential. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError'
}

const TLS_SCHEMES = new Set(['grpcs:', 'https:', 'wss:'])
const PLAIN_SCHEMES = new Set(['grpc:', 'http:', 'ws:'])

/**
 * Reads `scheme://name:secret@host:port?mode=` (protocol.md 2.4). The whole text is the token.
 * @param source the setting it came from, for errors
 */
export function parseKey(key: string, source: string): Identity {
  const url = parseUrl(key, source)
  const old = url.pathname.length === 65
  if (!old && url.password === '') throw wrong(source, 'secret key not found in dsn')
  if (url.port === '') throw wrong(source, 'server address is in wrong format: the port is missing')
  if (url.searchParams.get('mode') === 'embedded' || old) {
    throw wrong(source, 'mode=embedded is not served by this agent yet: create the agent with mode=standard')
  }
  return {
    address: `${url.hostname}:${url.port}`,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    tls: TLS_SCHEMES.has(url.protocol),
    name: url.username,
    token: new Secret(key),
  }
}

function parseUrl(key: string, source: string): URL {
  if (/[^\x21-\x7e]/.test(key))
    throw wrong(source, 'it holds a space, a line break or a character outside ASCII')
  let url: URL
  try {
    url = new URL(key)
  } catch {
    throw wrong(source, 'it is not of the form grpc://name:secret@host:port?mode=standard')
  }
  if (!TLS_SCHEMES.has(url.protocol) && !PLAIN_SCHEMES.has(url.protocol)) {
    throw wrong(source, `unknown scheme ${url.protocol}// (grpc:// and grpcs:// are known)`)
  }
  return url
}

function wrong(source: string, reason: string): IdentityError {
  return new IdentityError(`${source} is in wrong format, reason=${reason}`)
}
