import type { FastifyRequest } from 'fastify'
import { HttpError } from '../http/http-error.ts'

/** A form or an image of a foreign page cannot send it. */
const HEADER = 'x-runbook-page'

type Asking = Pick<FastifyRequest, 'headers' | 'method'>

/**
 * Whether a request by the cookie comes from this gateway's page, by all that browsers say of it. `SameSite` keeps most
 * foreign pages from sending the cookie at all; a page on another port or name of the same site is left, and is refused
 * here. @param webUrl where people reach this gateway, for proxies that change `Host` @throws HttpError 403
 */
export function checkOwnPage(request: Asking, webUrl: string): void {
  checkOrigin(request, webUrl)
  if (!isReading(request.method) && request.headers[HEADER] !== '1')
    throw foreign(`a request that changes something needs the header ${HEADER}: 1`)
}

/** For a request without a cookie yet. @throws HttpError 403 */
export function checkOrigin({ headers, method }: Asking, webUrl: string): void {
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

function foreign(why: string): HttpError {
  return new HttpError('foreign-page', `access denied: ${why}`)
}
