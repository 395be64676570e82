import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { tokenHash } from '../../identity.ts'
import { readExecBody } from '../body.ts'
import { pageContract, type PageSignInAnswer, SIGN_IN_BODY_BYTES } from '../../../contract/sign-in.ts'
import type { UserInfoAnswer } from '../../../contract/gateway.ts'
import { userInfo } from '../gateway-routes.ts'
import { signedInWith } from '../access.ts'
import type { RestServices } from '../services.ts'
import { clearSignIn, setSignIn, signInOf, checkOrigin } from './cookie.ts'

/** Lifetime of a sign-in on the page: a working day. */
const PAGE_SIGN_IN_MS = 12 * 60 * 60 * 1000

/**
 * Adds the route that signs a browser in by a token or by the code of a link. The page never sees the token
 * in the browser's cookie.
 */
export function pageSignInRoute(app: FastifyInstance, services: RestServices): void {
  const { links, webUrl } = services
  app.post('/api/page/sign-in', { bodyLimit: SIGN_IN_BODY_BYTES }, (request, reply): PageSignInAnswer => {
    checkOrigin(request, webUrl())
    const { token = '', code } = readExecBody(pageContract.signIn.body, request.body)
    const linked = code === undefined ? { token, next: null } : links.take(code)
    const info = signIn(services, linked.token, request, reply)
    return { ...info, next: linked.next }
  })
}

/** @throws RequestRefused 401, 429 */
function signIn(
  { users, tokens, webUrl }: RestServices,
  text: string,
  request: FastifyRequest,
  reply: FastifyReply,
): UserInfoAnswer {
  const { user } = signedInWith(users, text, request.callerAddress)
  request.auditedActor = user.name
  const parent = tokenHash(text)
  const issued = tokens.createOfPage({ user: user.name, parent, lifetimeMs: PAGE_SIGN_IN_MS })
  setSignIn(request, reply, { text: issued.text, lifetimeMs: PAGE_SIGN_IN_MS, webUrl: webUrl() })
  return userInfo(users, { user, token: issued.token })
}

/** If the sign-in has already ended, only the cookie is removed. */
export function pageSignOutRoute(app: FastifyInstance, { users, tokens, webUrl }: RestServices): void {
  app.post('/api/page/sign-out', (request, reply) => {
    checkOrigin(request, webUrl())
    const cookie = signInOf(request)
    const signedIn = cookie === undefined ? undefined : users.withCookie(cookie)
    clearSignIn(request, reply, webUrl())
    if (signedIn === undefined) return { ended: false }
    request.auditedActor = signedIn.user.name
    tokens.signOut(signedIn.token.id)
    return { ended: true }
  })
}
