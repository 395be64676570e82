import { randomBytes, createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isLoopback } from '../../basics/net/address.ts'
import { hasCredentials } from '../../basics/net/url-credentials.ts'
import type { AnswerOf } from '../../contract/contract.ts'
import type {
  browserSignInContract,
  deviceSignInContract,
  localSignInContract,
} from '../../contract/sign-in.ts'
import { httpStatus } from '../../contract/statuses.ts'
import { Reply, type Handlers } from '../handlers.ts'
import { DEVICE_MS, POLL_MS, type DeviceRequest } from '../people/sign-in/device-requests.ts'
import { browserHash, SIGN_IN_MS, type Returned } from '../people/sign-in/sign-in.ts'
import { refused, SignInRefused } from '../refusals/request-refused.ts'
import { failedSignIn } from './access.ts'
import { firstOption, type Query } from './mount.ts'
import { browserOf, setBrowser, setSignIn } from './page/cookie.ts'
import type { RestServices } from './services.ts'

/** Command lines sign in with these routes. The field `password` contains the user's token. */
export function localSignInRoutes({ users, tokens }: RestServices): Handlers<typeof localSignInContract> {
  return {
    signIn: ({ body: { email, password }, caller }) => {
      // Unlike in hoop, a wrong name and a wrong password have the same text: callers learn no names.
      if (users.withToken(password, caller)?.user.name !== email)
        throw failedSignIn(users, caller, refused('unauthenticated/wrong-credentials'))
      const headers = { token: password, 'access-control-expose-headers': 'Token' }
      return new Reply(200, { status: 'ok' }, { headers, actor: email })
    },
    // Other programs may use tokens of other kinds, so these stay valid.
    signOut: ({ token }) => {
      const isEnded = token.kind === 'sign-in'
      if (isEnded) tokens.signOut(token.id)
      return { ended: isEnded }
    },
  }
}

export function browserSignInRoutes({ signIn }: RestServices): Handlers<typeof browserSignInContract> {
  return {
    take: ({ body: { code, verifier } }) => {
      const { text, token } = signIn.takeHandover(code, verifier)
      return new Reply(200, { token: text, user: token.user }, { actor: token.user })
    },
  }
}

export function deviceSignInRoutes({ signIn, webUrl }: RestServices): Handlers<typeof deviceSignInContract> {
  return {
    begin: ({ body: { says }, caller }) => {
      const { secret, code } = signIn.addDevice(caller, says)
      const page = `${webUrl()}/api/login/device`
      return {
        device_code: secret,
        user_code: code,
        verification_uri: page,
        verification_uri_complete: `${page}?code=${code}`,
        expires_in: DEVICE_MS / 1000,
        interval: POLL_MS / 1000,
      }
    },
    take: ({ body: { device_code: secret } }) => {
      const issued = signIn.deviceOutcome(secret)
      if (issued === undefined) return new Reply(202, { status: 'waiting' })
      const { text, token } = issued
      return new Reply(200, { token: text, user: token.user }, { actor: token.user })
    },
  }
}

const DEVICE = '/api/login/device'

/** Largest confirmation. A confirmation contains up to 200 names of groups, encrypted. */
const CONFIRMATION_BYTES = 64 * 1024

/** Pages for users whose command line runs on a machine without a browser. */
export function devicePages(app: FastifyInstance, { signIn }: RestServices): void {
  app.get<{ Querystring: Query }>(DEVICE, ({ query, callerAddress }, reply) =>
    asPage(reply, () => {
      const code = firstOption(query, 'code')
      const page = code === undefined ? codePage() : startPage(signIn.deviceWithCode(code, callerAddress))
      return sendPage(reply, page)
    }),
  )

  app.get<{ Querystring: Query }>(`${DEVICE}/start`, ({ query, callerAddress }, reply) =>
    asPage(reply, async () => {
      const { code } = signIn.deviceWithCode(firstOption(query, 'code') ?? '', callerAddress)
      return reply.redirect(await signIn.begin({ kind: 'device', code }), 302)
    }),
  )

  void app.register((withForms, _, done) => {
    decisionRoute(withForms, signIn)
    done()
  })
}

function decisionRoute(app: FastifyInstance, signIn: RestServices['signIn']): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: CONFIRMATION_BYTES },
    (_, body, parsed) => parsed(null, new URLSearchParams(body.toString())),
  )
  app.post(`${DEVICE}/decide`, { bodyLimit: CONFIRMATION_BYTES }, (request, reply) =>
    asPage(reply, () => {
      const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
      const isAllowed = form.get('decision') === 'allow'
      const name = signIn.decideDevice(form.get('confirmation') ?? '', isAllowed)
      request.auditedActor = name
      const said = isAllowed
        ? `The command line signs in as ${name} now.`
        : 'Refused. The command line was not signed in.'
      return sendPage(reply, messagePage(`${said} You can close this page.`))
    }),
  )
}

/** hoop's command line listens here for the browser. */
const HOOP_CLIENT = 'http://127.0.0.1:3587/callback'

/** Routes that send a browser to the provider, and back to the page or the waiting command line. */
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

/** The browser keeps a secret, and must send it when it returns. */
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

/** People open these routes, so refusals are HTML pages. */
async function asPage(
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

/** Allows only a loopback address, on the user's own machine, because the token is sent to this address. */
function redirectIn(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isOwn = url?.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, ''))
  if (isOwn && !hasCredentials(url)) return url.href
  throw refused('invalid-request/redirect')
}

function checked(challenge: string | undefined): string | undefined {
  if (challenge === undefined || /^[A-Za-z0-9_-]{43}$/.test(challenge)) return challenge
  throw refused('invalid-request/challenge')
}

const STYLE =
  'body{font:16px/1.5 sans-serif;max-width:36em;margin:3em auto;padding:0 1em}code{font-size:1.2em}dt{font-weight:bold}'
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/**
 * Forbids scripts and files from other origins. Other pages cannot show this page in a frame. The browser
 * sends no referrer, because the address may contain a secret.
 */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
}

/** HTML with escaped texts. */
class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Escapes every value, and characters that change the direction of text. */
function markup(parts: TemplateStringsArray, ...values: readonly (string | Markup)[]): Markup {
  const escaped = values.map((value) => (value instanceof Markup ? value.text : escape(value)))
  return new Markup(parts.map((part, at) => part + (escaped[at] ?? '')).join(''))
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (one) => ESCAPES[one] ?? '').replaceAll(/[\p{Cc}\p{Cf}]/gu, '\ufffd')
}

function sendPage(reply: FastifyReply, page: Markup, status = 200): FastifyReply {
  const style = new Markup(STYLE)
  const { text } = markup`<!doctype html><html lang="en">
<head><meta charset="utf-8"><title>Sign-in</title><style>${style}</style></head>
<body>${page}</body></html>`
  return reply.code(status).headers(HEADERS).send(text)
}

function messagePage(message: string): Markup {
  return markup`<h1>Sign-in</h1><p>${message}</p>`
}

function codePage(): Markup {
  return markup`<h1>Sign in a command line</h1><p>Enter the code that the command line shows.</p>
<form method="get"><input name="code" autocomplete="off" autofocus required maxlength="20">
<button>Continue</button></form>`
}

/** The page that is shown before the user is known. */
function startPage(request: DeviceRequest): Markup {
  const address = `/api/login/device/start?code=${encodeURIComponent(request.code)}`
  return markup`<h1>Sign in a command line</h1>${asking(request)}
<p>Did you start this sign-in yourself, just now? If somebody else sent you here, close this page:
that person would get all your permissions.</p>
<p><a href="${address}">Yes: sign in</a></p>`
}

interface Confirming {
  readonly name: string
  readonly request: DeviceRequest
  readonly confirmation: string
}

/** The page on which the signed-in user decides, in the same browser. */
function confirmPage({ name, request, confirmation }: Confirming): Markup {
  return markup`<h1>Sign in a command line as ${name}</h1>${asking(request)}
<p>Allow the sign-in only if you started it yourself and the command line shows exactly this code.</p>
<form method="post" action="/api/login/device/decide">
<input type="hidden" name="confirmation" value="${confirmation}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="refuse">Refuse</button></form>`
}

function asking({ code, from, says, askedAt }: DeviceRequest): Markup {
  const described = says === '' ? '' : markup`<dt>Name given</dt><dd>${says}</dd>`
  return markup`<dl><dt>Code</dt><dd><code>${code}</code></dd><dt>Address</dt><dd>${from}</dd>
${described}<dt>Time</dt><dd>${new Date(askedAt).toISOString()}</dd></dl>`
}
