import type { FastifyInstance, FastifyRequest, FastifyReply } from 'fastify'
import { FRESH_MINUTES, type Operation, type OperationTable, type Role } from '../../contract/contract.ts'
import { checkIsPerson, type AccessToken, type GatewayUser, type SignedIn } from '../identity.ts'
import type { LiveUses } from '../people/identities/token-uses.ts'
import { type TokenUse, type Users, bearerToken } from '../people/identities/users.ts'
import { refused, type RequestRefused } from '../refusals/request-refused.ts'
import { errorBody } from './http-error.ts'
import { DOCS } from './openapi.ts'
import { signInOf, checkOwnPage } from './page/cookie.ts'
import { isPageRoute } from './page/files.ts'
import type { RestServices } from './services.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The user of the request. This field is set before the body is read. */
    user: GatewayUser
    /** The token that signs the request in. */
    token: AccessToken
  }
  interface FastifyContextConfig {
    /** Undefined if no route was found. */
    operation?: RouteRule
  }
}

/** Facts of an operation that are checked before its handler is called. */
type RouteRule = Pick<Operation, 'role' | 'audit' | 'byCookie' | 'peopleOnly' | 'isForMcp' | 'query'>

/** Pages need no sign-in, because they are the same for all callers. */
const PAGE = { role: 'public', audit: 'none' } as const

/** Adds the contract's operation to all later routes. @throws for a route that is in no contract */
export function requireOperations(app: FastifyInstance, operations: OperationTable): void {
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const operation = operationOf(operations, method, route.url)
      if (operation === undefined)
        throw new Error(
          `${method} ${route.url} is in no contract of src/contract, or its contract has no row in src/gateway/rest/resources.ts: add the operation there, with the callers that may use it`,
        )
      route.config = { ...route.config, operation }
    }
  })
}

/** HEAD is GET without the body. */
function operationOf(operations: OperationTable, method: string, url: string): RouteRule | undefined {
  return isPage(url) ? PAGE : operations[`${method === 'HEAD' ? 'GET' : method} ${url}`]
}

/** Tells whether the URL is the gateway's page or the page about the REST interface. */
export function isPage(url: string | undefined): boolean {
  return url !== undefined && (url === DOCS || url.startsWith(`${DOCS}/`) || isPageRoute(url))
}

/** Returns undefined if the operation needs no user. @throws RequestRefused 401, 403, 429 */
export function authorize(
  { users, webUrl }: Pick<RestServices, 'users' | 'webUrl'>,
  request: FastifyRequest,
): SignedIn | undefined {
  const operation: Omit<RouteRule, 'audit'> = request.routeOptions.config.operation ?? { role: 'user' }
  const { role, byCookie, peopleOnly = false, isForMcp = false } = operation
  if (role === 'public') return undefined
  const cookie = isForMcp || hasToken(request.headers) ? undefined : signInOf(request)
  const signedIn =
    cookie === undefined
      ? authenticate(users, request.headers, request.callerAddress, isForMcp ? 'mcp' : undefined)
      : withCookie(users, cookie)
  if (cookie !== undefined) checkByPage(request, webUrl(), byCookie)
  const { user, token } = signedIn
  request.user = user
  request.token = token
  if (!hasRole(users, user, role)) throw refused('not-permitted/role')
  if (peopleOnly) checkIsPerson(user)
  // This check is the last one, because a new sign-in does not help users who lack the permission.
  if (cookie !== undefined && byCookie === 'fresh') checkIsFresh(users, token)
  return signedIn
}

function hasRole(users: Users, user: GatewayUser, role: Exclude<Role, 'public'>): boolean {
  switch (role) {
    case 'user':
      return true
    case 'standard':
      return !users.onlyReads(user)
    case 'auditor':
      return users.seesAll(user)
    case 'admin':
      return users.isAdmin(user)
  }
}

function withCookie(users: Users, cookie: string): SignedIn {
  const signedIn = users.withCookie(cookie)
  if (signedIn !== undefined) return signedIn
  // The cookie cannot be guessed, so an old cookie does not count as a failed sign-in.
  const reason = users.whyRefused(cookie) ?? 'the sign-in has ended'
  throw refused('unauthenticated/ended-token', { reason })
}

function checkByPage(request: FastifyRequest, webUrl: string, byCookie: RouteRule['byCookie']): void {
  checkOwnPage(request, webUrl)
  if (byCookie === 'refused') throw refused('not-permitted/cookie-only')
}

function checkIsFresh(users: Users, token: AccessToken): void {
  if (users.isFresh(token)) return
  throw refused('sign-in-again', { minutes: FRESH_MINUTES })
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Reads `Authorization: Bearer` or `Api-Key`. @throws RequestRefused 401, 429 */
export function authenticate(users: Users, headers: Headers, ip: string, use?: TokenUse): SignedIn {
  if (headers['authorization'] === undefined && headers['api-key'] === undefined)
    throw refused('unauthenticated/unknown')
  return signedInWith(
    users,
    bearerToken(text(headers['authorization'])) ?? text(headers['api-key']) ?? '',
    ip,
    use,
  )
}

/** Tells whether a header contains a token. The cookie is then ignored. */
function hasToken(headers: Headers): boolean {
  return [headers['authorization'], headers['api-key']].some((header) => text(header) !== undefined)
}

/** @throws RequestRefused 401, 403, 429 */
export function signedInWith(users: Users, token: string, ip: string, use?: TokenUse): SignedIn {
  const signedIn = users.withToken(token, ip, use)
  if (signedIn !== undefined) return signedIn
  const reason = users.whyRefused(token)
  const isUnknown = reason === undefined
  const refusal = isUnknown
    ? refused('unauthenticated/unknown')
    : refused('unauthenticated/ended-token', { reason })
  throw failedSignIn(users, ip, refusal)
}

/** Counts the failure. @returns the refusal, or one that only says that there were too many failures */
export function failedSignIn({ attempts }: Users, ip: string, refusal: RequestRefused): RequestRefused {
  const seconds = attempts.refused(ip)
  if (seconds === undefined) return refusal
  return refused('too-many-failed-sign-ins', { seconds }, { retryAfterSeconds: seconds })
}

function text(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && header !== '' ? header : undefined
}

/**
 * Ends the request when the token is no longer accepted: refuses the request if it has no answer yet, and
 * cuts off its stream otherwise.
 */
export function endWithToken(live: LiveUses, token: AccessToken, reply: FastifyReply): void {
  const use = live.begin(token, (reason) => end(reply, reason))
  reply.raw.once('close', () => use[Symbol.dispose]())
}

function end(reply: FastifyReply, reason: string): void {
  if (reply.sent || reply.raw.headersSent) return void reply.raw.destroy()
  const error = refused('token-ended/answer', { reason })
  void reply.header('connection', 'close').code(error.status).send(errorBody(error))
}
