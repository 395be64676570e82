import { parseCookie, stringifySetCookie, type SetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { refused } from '../../refusals/request-refused.ts'
import { isOwnOrigin } from '../known-hosts.ts'

type Asking = Pick<FastifyRequest, 'headers' | 'protocol'>

interface Kept {
  readonly text: string
  readonly lifetimeMs: number
  /**
   * Public address of the gateway. A request does not show whether users connect with TLS, because a proxy
   * may end TLS.
   */
  readonly webUrl: string
}

const SIGN_IN = 'runbook_sign_in'
const BROWSER = 'runbook_browser'

/**
 * Returns the token in the browser's cookie. The browser sends this cookie only to the REST API, and scripts
 * cannot read it.
 */
export function signInOf(request: Asking): string | undefined {
  return readCookie(request, SIGN_IN)
}

export function setSignIn(request: Asking, reply: FastifyReply, kept: Kept): void {
  set(request, reply, { name: SIGN_IN, sameSite: 'strict', path: '/api' }, kept)
}

export function clearSignIn(request: Asking, reply: FastifyReply, webUrl: string): void {
  setSignIn(request, reply, { text: '', lifetimeMs: 0, webUrl })
}

/**
 * Returns the secret in the browser's cookie. By the secret, the gateway recognizes a browser that returns
 * from the provider.
 */
export function browserOf(request: Asking): string | undefined {
  return readCookie(request, BROWSER)
}

/** The cookie is `lax`, because the provider is another site and sends the browser back. */
export function setBrowser(request: Asking, reply: FastifyReply, kept: Kept): void {
  set(request, reply, { name: BROWSER, sameSite: 'lax', path: '/api/callback' }, kept)
}

function set(
  request: Asking,
  reply: FastifyReply,
  { name, ...where }: Pick<SetCookie, 'name' | 'sameSite' | 'path'>,
  { text, lifetimeMs, webUrl }: Kept,
): void {
  const { headers, protocol } = request
  const cookie = {
    name: withPort(request, name),
    value: text,
    maxAge: lifetimeMs / 1000,
    httpOnly: true,
    ...where,
    secure: protocol === 'https' || (headers.origin ?? webUrl).startsWith('https:'),
  }
  void reply.header('set-cookie', stringifySetCookie(cookie))
}

/**
 * Returns the cookie's value. Two values for a name are refused, because any page of this host, on any port,
 * can set a cookie of this name for a longer path. Browsers send the cookie with the longer path first.
 * @throws RequestRefused 401
 */
function readCookie(request: Asking, name: string): string | undefined {
  const all = (request.headers.cookie ?? '').split(';')
  const values = new Set(all.map((one) => parseCookie(one)[withPort(request, name)]))
  const [value, another] = [...values].filter((one) => one !== undefined && one !== '')
  if (another !== undefined) throw refused('unauthenticated/two-cookies')
  return value
}

/** Browsers send a cookie to all ports of a host, so two gateways on a host need different names. */
function withPort({ headers }: Asking, name: string): string {
  const [, port] = /:(\d{1,5})$/.exec(headers.host ?? '') ?? []
  return port === undefined ? name : `${name}_${port}`
}

/** A form or an image of a foreign page cannot send this header. */
const HEADER = 'x-runbook-page'

type Asked = Pick<FastifyRequest, 'headers' | 'method'>

/**
 * Checks that a request with the cookie comes from this gateway's page. `SameSite` stops most foreign pages,
 * but not those on another port or host name of the same site.
 * @param webUrl public address, for proxies that change `Host`
 * @throws RequestRefused 403
 */
export function checkOwnPage(request: Asked, webUrl: string): void {
  checkOrigin(request, webUrl)
  if (!isReading(request.method) && request.headers[HEADER] !== '1')
    throw refused('foreign-page/header', { header: HEADER })
}

/** Checks requests that have no cookie yet. @throws RequestRefused 403 */
export function checkOrigin({ headers, method }: Asked, webUrl: string): void {
  const site = headers['sec-fetch-site']
  const isUpgrade = headers.upgrade !== undefined
  // `none` means that the user has typed the address. Such a request never changes anything.
  const isTyped = site === 'none' && isReading(method) && !isUpgrade
  if (site !== undefined && site !== 'same-origin' && !isTyped) throw refused('foreign-page/site')
  const { origin, host } = headers
  // Browsers let every page open a WebSocket to any address. Only `Origin` names the page.
  const isMissing = origin === undefined && isUpgrade
  if (isMissing || (origin !== undefined && !isOwnOrigin(origin, host, webUrl)))
    throw refused('foreign-page/origin')
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}
