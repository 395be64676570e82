import { parseCookie, stringifySetCookie, type SetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { RequestRefused } from '../../refusals/request-refused.ts'

type Asking = Pick<FastifyRequest, 'headers' | 'protocol'>

/** A cookie that a browser is to keep. */
interface Kept {
  readonly text: string
  readonly lifetimeMs: number
  /**
   * Address at which people reach this gateway. A proxy before us may end TLS, so a request does not show it.
   */
  readonly webUrl: string
}

const SIGN_IN = 'runbook_sign_in'
const BROWSER = 'runbook_browser'
const TWO =
  'the browser sends two sign-ins, and one may be set by another page of this host: remove the cookies of this host'

/**
 * Returns the token with which a browser is signed in. The cookie is sent to the interface alone, and no
 * script reads it.
 */
export function signInOf(request: Asking): string | undefined {
  return valueOf(request, SIGN_IN)
}

export function setSignIn(request: Asking, reply: FastifyReply, kept: Kept): void {
  set(request, reply, { name: SIGN_IN, sameSite: 'strict', path: '/api' }, kept)
}

export function clearSignIn(request: Asking, reply: FastifyReply, webUrl: string): void {
  setSignIn(request, reply, { text: '', lifetimeMs: 0, webUrl })
}

/**
 * Returns the secret by which a browser that comes back from the provider is known as the one that has gone
 * there.
 */
export function browserOf(request: Asking): string | undefined {
  return valueOf(request, BROWSER)
}

/** Sets the browser's secret. `lax`: the provider, which is another site, sends the browser back. */
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
 * Returns a cookie's value. Any page of this host, on any port, can set a cookie of this name for a longer
 * path, and browsers send that one first: so a name with two values is refused.
 * @throws RequestRefused 401
 */
function valueOf(request: Asking, name: string): string | undefined {
  const all = (request.headers.cookie ?? '').split(';')
  const values = new Set(all.map((one) => parseCookie(one)[withPort(request, name)]))
  const [value, another] = [...values].filter((one) => one !== undefined && one !== '')
  if (another !== undefined) throw new RequestRefused('unauthenticated', `${hoopWords.accessDenied}: ${TWO}`)
  return value
}

/**
 * Adds the port to a cookie's name. Browsers send a cookie to all ports of a host: two gateways there must
 * not replace each other's cookies.
 */
function withPort({ headers }: Asking, name: string): string {
  const [, port] = /:(\d{1,5})$/.exec(headers.host ?? '') ?? []
  return port === undefined ? name : `${name}_${port}`
}

/** A form or an image of a foreign page cannot send this header. */
const HEADER = 'x-runbook-page'

type Asked = Pick<FastifyRequest, 'headers' | 'method'>

/**
 * Checks that a request with the cookie comes from this gateway's page, by everything that browsers say about
 * it. `SameSite` keeps most foreign pages from sending the cookie at all. It does not stop a page on another
 * port or name of the same site: that is refused here.
 * @param webUrl address at which people reach this gateway, for proxies that change `Host`
 * @throws RequestRefused 403
 */
export function checkOwnPage(request: Asked, webUrl: string): void {
  checkOrigin(request, webUrl)
  if (!isReading(request.method) && request.headers[HEADER] !== '1')
    throw foreign(`a request that changes something needs the header ${HEADER}: 1`)
}

/** Checks a request that has no cookie yet. @throws RequestRefused 403 */
export function checkOrigin({ headers, method }: Asked, webUrl: string): void {
  const site = headers['sec-fetch-site']
  const isUpgrade = headers.upgrade !== undefined
  // `none` means that the person has typed the address. Such a request never changes anything.
  const isTyped = site === 'none' && isReading(method) && !isUpgrade
  if (site !== undefined && site !== 'same-origin' && !isTyped)
    throw foreign('the request comes from a page of another address')
  const { origin, host } = headers
  // Browsers let every page open a socket anywhere; only `Origin` says which page does.
  const isMissing = origin === undefined && isUpgrade
  if (isMissing || (origin !== undefined && !isOwn(origin, host, webUrl)))
    throw foreign('Origin: is not the address of this gateway (behind a proxy, set listen.public-url)')
}

function isOwn(origin: string, host: string | undefined, webUrl: string): boolean {
  if (!URL.canParse(origin)) return false
  const asked = new URL(origin)
  return asked.host === host?.toLowerCase() || asked.origin === new URL(webUrl).origin
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

function foreign(why: string): RequestRefused {
  return new RequestRefused('foreign-page', `access denied: ${why}`)
}
