import { parseCookie, stringifySetCookie, type SetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { RequestRefused } from '../../refusals/request-refused.ts'

type Asking = Pick<FastifyRequest, 'headers' | 'protocol'>

/** What a browser is to keep. */
interface Kept {
  readonly text: string
  readonly lifetimeMs: number
  /** Where people reach this gateway: TLS may end before us. */
  readonly webUrl: string
}

const SIGN_IN = 'runbook_sign_in'
const BROWSER = 'runbook_browser'
const TWO =
  'the browser sends two sign-ins, and one may be set by another page of this host: remove the cookies of this host'

/** What a browser is signed in with. It goes to the interface alone, and no script reads it. */
export function signInOf(request: Asking): string | undefined {
  return valueOf(request, SIGN_IN)
}

export function setSignIn(request: Asking, reply: FastifyReply, kept: Kept): void {
  set(request, reply, { name: SIGN_IN, sameSite: 'strict', path: '/api' }, kept)
}

export function clearSignIn(request: Asking, reply: FastifyReply, webUrl: string): void {
  setSignIn(request, reply, { text: '', lifetimeMs: 0, webUrl })
}

/** By which a browser that comes back from the provider is known as the one that has gone there. */
export function browserOf(request: Asking): string | undefined {
  return valueOf(request, BROWSER)
}

/** `lax`: the provider sends the browser back, and that is another site. */
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
    ...{ name: withPort(request, name), value: text, maxAge: lifetimeMs / 1000, httpOnly: true, ...where },
    secure: protocol === 'https' || (headers.origin ?? webUrl).startsWith('https:'),
  }
  void reply.header('set-cookie', stringifySetCookie(cookie))
}

/**
 * Any page of this host, on whatever port, may set a cookie of this name for a longer path, and browsers send that one
 * first: nobody is taken for whom it says. @throws RequestRefused 401
 */
function valueOf(request: Asking, name: string): string | undefined {
  const all = (request.headers.cookie ?? '').split(';')
  const values = new Set(all.map((one) => parseCookie(one)[withPort(request, name)]))
  const [value, another] = [...values].filter((one) => one !== undefined && one !== '')
  if (another !== undefined) throw new RequestRefused('unauthenticated', `${hoopWords.accessDenied}: ${TWO}`)
  return value
}

/** Browsers send a cookie to all ports of a host: two gateways there must not replace each other's. */
function withPort({ headers }: Asking, name: string): string {
  const [, port] = /:(\d{1,5})$/.exec(headers.host ?? '') ?? []
  return port === undefined ? name : `${name}_${port}`
}

/** A form or an image of a foreign page cannot send it. */
const HEADER = 'x-runbook-page'

type Asked = Pick<FastifyRequest, 'headers' | 'method'>

/**
 * Whether a request by the cookie comes from this gateway's page, by all that browsers say of it. `SameSite` keeps most
 * foreign pages from sending the cookie at all; a page on another port or name of the same site is left, and is refused
 * here. @param webUrl where people reach this gateway, for proxies that change `Host` @throws RequestRefused 403
 */
export function checkOwnPage(request: Asked, webUrl: string): void {
  checkOrigin(request, webUrl)
  if (!isReading(request.method) && request.headers[HEADER] !== '1')
    throw foreign(`a request that changes something needs the header ${HEADER}: 1`)
}

/** For a request without a cookie yet. @throws RequestRefused 403 */
export function checkOrigin({ headers, method }: Asked, webUrl: string): void {
  const site = headers['sec-fetch-site']
  const isUpgrade = headers.upgrade !== undefined
  // `none`: typed by the person. No typing sends anything that changes something.
  const isTyped = site === 'none' && isReading(method) && !isUpgrade
  if (site !== undefined && site !== 'same-origin' && !isTyped)
    throw foreign('the request comes from a page of another address')
  const { origin, host } = headers
  // Browsers let every page open a socket anywhere, and tell only here which one does.
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
