import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isLoopback } from '../../../basics/net/address.ts'
import type { AnswerOf } from '../../../contract/contract.ts'
import type { browserSignInContract } from '../../../contract/sign-in.ts'
import { httpStatus } from '../../../contract/statuses.ts'
import { SignInRefused } from '../../people/sign-in/refused.ts'
import { browserHash, SIGN_IN_MS, type Returned } from '../../people/sign-in/sign-in.ts'
import { HttpError } from '../http/http-error.ts'
import { browserOf, setBrowser, setSignIn } from '../page/cookie.ts'
import { firstOption, type Query } from '../http/query.ts'
import type { RestServices } from '../services.ts'
import { confirmPage, messagePage, sendPage } from './pages.ts'

/** Where hoop's command line listens for the browser. */
const HOOP_CLIENT = 'http://127.0.0.1:3587/callback'

/** The way of a browser: to the provider, and back to the machine on which a command line waits for it. */
export function oidcRoutes(app: FastifyInstance, services: RestServices): void {
  const { signIn, webUrl } = services
  app.get<{ Querystring: Query }>('/api/login', async (request, reply) => {
    const { query } = request
    if (firstOption(query, 'page') === '1') return beginOnPage(services, request, reply)
    const challenge = firstOption(query, 'challenge')
    const redirect = redirectIn(firstOption(query, 'redirect') ?? HOOP_CLIENT)
    return { login_url: await signIn.begin({ kind: 'client', redirect, challenge: checked(challenge) }) }
  })

  app.get('/api/callback', (request, reply) =>
    asPage(reply, async () => {
      const [, query = ''] = request.url.split(/\?(.*)/s)
      const returned = await signIn.end(query, browserOf(request), request.callerAddress)
      request.auditedActor = nameIn(returned)
      if (returned.kind === 'page') {
        const { issued, lifetimeMs } = returned
        setSignIn(request, reply, { text: issued.text, lifetimeMs, webUrl: webUrl() })
        return reply.redirect('/', 302)
      }
      if (returned.kind === 'redirect') {
        request.auditedRefusal = returned.refusal
        return reply.redirect(returned.to, 302)
      }
      const { admitted, request: asked, confirmation } = returned
      return sendPage(reply, confirmPage({ name: admitted.name, request: asked, confirmation }))
    }),
  )
}

/** The browser that begins keeps a secret, and the one that comes back has to have it. */
async function beginOnPage(
  { signIn, webUrl }: RestServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<AnswerOf<typeof browserSignInContract.begin>> {
  const secret = randomBytes(32).toString('base64url')
  const browser = browserHash(secret) ?? ''
  const address = await signIn.begin({ kind: 'page', browser })
  setBrowser(request, reply, { text: secret, lifetimeMs: SIGN_IN_MS, webUrl: webUrl() })
  return { login_url: address }
}

/** For the audit log. */
function nameIn(returned: Returned): string {
  switch (returned.kind) {
    case 'redirect':
      return returned.name ?? ''
    case 'confirm':
      return returned.admitted.name
    case 'page':
      return returned.issued.token.user
  }
}

/** Refusals are read by people here. */
export async function asPage(
  reply: FastifyReply,
  answer: () => FastifyReply | Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await answer()
  } catch (error) {
    if (!(error instanceof SignInRefused)) throw error
    return sendPage(reply, messagePage(error.message), httpStatus(error.code))
  }
}

/** A token is sent to the person's own machine alone. */
function redirectIn(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isOwn = url?.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, ''))
  if (isOwn && url.username === '' && url.password === '') return url.href
  throw new HttpError(
    'invalid-request',
    'redirect: must be an address of the loopback, http://127.0.0.1:PORT',
    422,
  )
}

function checked(challenge: string | undefined): string | undefined {
  if (challenge === undefined || /^[A-Za-z0-9_-]{43}$/.test(challenge)) return challenge
  throw new HttpError('invalid-request', 'challenge: must be a SHA-256 in base64url', 422)
}
