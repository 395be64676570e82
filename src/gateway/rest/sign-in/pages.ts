import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import type { DeviceRequest } from '../../people/sign-in/device-requests.ts'

const STYLE =
  'body{font:16px/1.5 sans-serif;max-width:36em;margin:3em auto;padding:0 1em}code{font-size:1.2em}dt{font-weight:bold}'
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** No script, nothing from elsewhere, in nobody's frame, and no address with a secret in it for the next page. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
}

/** HTML whose texts are escaped already. */
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

/** Everything that is put in is escaped, and cannot turn the direction of what stands around it. */
function markup(parts: TemplateStringsArray, ...values: readonly (string | Markup)[]): Markup {
  const escaped = values.map((value) => (value instanceof Markup ? value.text : escape(value)))
  return new Markup(parts.map((part, at) => part + (escaped[at] ?? '')).join(''))
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (one) => ESCAPES[one] ?? '').replaceAll(/[\p{Cc}\p{Cf}]/gu, '\ufffd')
}

export function sendPage(reply: FastifyReply, page: Markup, status = 200): FastifyReply {
  const style = new Markup(STYLE)
  const { text } = markup`<!doctype html><html lang="en">
<head><meta charset="utf-8"><title>Sign-in</title><style>${style}</style></head>
<body>${page}</body></html>`
  return reply.code(status).headers(HEADERS).send(text)
}

export function messagePage(message: string): Markup {
  return markup`<h1>Sign-in</h1><p>${message}</p>`
}

export function codePage(): Markup {
  return markup`<h1>Sign in a command line</h1><p>Enter the code that it shows.</p>
<form method="get"><input name="code" autocomplete="off" autofocus required maxlength="20">
<button>Continue</button></form>`
}

/** Before the person is known. */
export function startPage(request: DeviceRequest): Markup {
  const address = `/api/login/device/start?code=${encodeURIComponent(request.code)}`
  return markup`<h1>Sign in a command line</h1>${asking(request)}
<p>Did you start it yourself, just now? If somebody else has sent you here, close this page:
whoever started it could do everything that you may do.</p>
<p><a href="${address}">Yes: sign in</a></p>`
}

interface Confirming {
  readonly name: string
  readonly request: DeviceRequest
  readonly confirmation: string
}

/** The decision is made by whoever has signed in, in the browser in which that happened. */
export function confirmPage({ name, request, confirmation }: Confirming): Markup {
  return markup`<h1>Sign in a command line as ${name}</h1>${asking(request)}
<p>Allow it only if you started it yourself and it shows this very code.</p>
<form method="post" action="/api/login/device/decide">
<input type="hidden" name="confirmation" value="${confirmation}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="refuse">Refuse</button></form>`
}

function asking({ code, from, says, askedAt }: DeviceRequest): Markup {
  const described = says === '' ? '' : markup`<dt>It says of itself</dt><dd>${says}</dd>`
  return markup`<dl><dt>Code</dt><dd><code>${code}</code></dd><dt>Asked from</dt><dd>${from}</dd>
${described}<dt>At</dt><dd>${new Date(askedAt).toISOString()}</dd></dl>`
}
