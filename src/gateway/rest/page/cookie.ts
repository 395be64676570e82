import { parseCookie, stringifySetCookie, type SetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

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

function valueOf(request: Asking, name: string): string | undefined {
  const value = parseCookie(request.headers.cookie ?? '')[withPort(request, name)]
  return value === '' ? undefined : value
}

/** Browsers send a cookie to all ports of a host: two gateways there must not replace each other's. */
function withPort({ headers }: Asking, name: string): string {
  const [, port] = /:(\d{1,5})$/.exec(headers.host ?? '') ?? []
  return port === undefined ? name : `${name}_${port}`
}
