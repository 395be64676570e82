import { VaultError } from './answer.ts'

/** An address of Vault's, taken apart. */
export interface VaultTarget {
  /** Undefined for a URL that is none of HTTP: it fails when it is asked. */
  readonly isSecure: boolean | undefined
  /** The URL as Go shows it: escaped, without a password. */
  readonly shown: string
  readonly scheme: string
  readonly host: string
  readonly port: number
  readonly path: string
  /** Name and password of the URL, in the form of a header; undefined when it has none. */
  readonly authorization: string | undefined
}

/** What may stand in a path as it is. Escapes stay, nothing is escaped twice. */
const UNSENDABLE = /[^\w!#$%&'()*+,./:;=?@[\]~-]/gu
const DEFAULT_PORTS = { http: 80, https: 443 } as const

/** Takes a URL apart as Go does: dots and doubled slashes of its path stay. @throws VaultError */
export function targetOf(url: string, what: string): VaultTarget {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? ''
  if (scheme !== 'http' && scheme !== 'https') return foreign(url, scheme, what)
  const [, authority = '', rest = ''] = /^[^:]*:\/\/([^/?#]*)([^#]*)/.exec(url) ?? []
  const parsed = parseOrigin(scheme, authority, url, what)
  const path = rest.replaceAll(UNSENDABLE, (character) => encodeURIComponent(character))
  const { username, password, host, hostname, port } = parsed
  const user = username === '' ? '' : `${username}${password === '' ? '' : ':***'}@`
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    isSecure: scheme === 'https',
    shown: `${scheme}://${user}${host}${path}`,
    scheme,
    host: hostname.replaceAll(/^\[|\]$/g, ''),
    port: port === '' ? DEFAULT_PORTS[scheme] : Number(port),
    path: path.startsWith('/') ? path : `/${path}`,
    authorization: username === '' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`,
  }
}

/** Whether a redirect stays with the same server, spoken to in the same way. */
export function isSameServer(one: VaultTarget, other: VaultTarget): boolean {
  return one.scheme === other.scheme && one.host === other.host && one.port === other.port
}

function foreign(url: string, scheme: string, what: string): VaultTarget {
  if (scheme === '' && /^[^/]*:/.test(url)) {
    const fault = 'first path segment in URL cannot contain colon'
    throw new VaultError(`${what}, err=parse "${withoutUser(url)}": ${fault}`)
  }
  const shown = withoutUser(url)
  return { isSecure: undefined, shown, scheme, host: '', port: 0, path: '', authorization: undefined }
}

function parseOrigin(scheme: string, authority: string, url: string, what: string): URL {
  try {
    const parsed = new URL(`${scheme}://${authority}`)
    decodeURIComponent(parsed.username + parsed.password)
    return parsed
  } catch {
    throw new VaultError(`${what}, err=parse "${withoutUser(url)}": invalid host, user or port`)
  }
}

/** Before an @ there may be a password, also in what is no URL. */
function withoutUser(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@')
}
