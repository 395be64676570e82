import type { SecureContext } from 'node:tls'
import { BrokenReply, exchange, type HttpQuestion, type Reply } from '../../../basics/net/exchange.ts'
import { goHttpError } from '../../../basics/net/go-errors.ts'
import type { Proxy } from '../../../basics/net/tunnel.ts'
import { patience } from '../../../basics/patience.ts'
import type { Secret } from '../../../basics/secret.ts'
import { formatGoDuration } from '../../../golang/text/duration.ts'
import { goQuote } from '../../../golang/text/quote.ts'
import { refuseFailure, undecoded, VaultError } from './answer.ts'
import { isSameServer, targetOf, type VaultTarget } from './target.ts'

/** A secret has some hundred bytes, Vault's own limit for one is 1 MiB of a request. */
const LONGEST_ANSWER = 1024 * 1024
/** A shorter text is part of others by chance. Vault's own have 26 and more. */
const SHORTEST_CREDENTIAL = 6
/** Characters of an error's text. It goes to a person, once for each variable. */
const SHOWN_CHARACTERS = 4096
const MOST_REDIRECTS = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** How Vault is reached. */
export interface VaultWay {
  readonly namespace: string
  readonly timeoutMs: number
  readonly skipVerify: boolean
  /** Made when it is needed: it takes the authorities of the system apart. */
  readonly secureContext: () => SecureContext
  readonly proxyTo: (host: string, port: number) => Proxy | undefined
}

export interface VaultRequest {
  readonly target: VaultTarget
  readonly headers: Readonly<Record<string, string>>
  /** Posted as JSON. Without it the request is a GET. */
  readonly body?: object
  /** What goes along and must not come back in an error's text. */
  readonly credential: Secret
  /** The first words about an answer that cannot be read. */
  readonly undecoded: string
}

/** Asks Vault for a successful answer, within its time. @throws VaultError, or the signal's reason */
export async function askVault(request: VaultRequest, way: VaultWay, signal: AbortSignal): Promise<Reply> {
  const ends = patience(way.timeoutMs, signal)
  try {
    const reply = await followed(request, way, ends)
    refuseFailure(reply)
    return reply
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof VaultError ? presentable(error, request.credential) : error
  }
}

/** Follows redirects that stay with the same server. */
async function followed(request: VaultRequest, way: VaultWay, ends: AbortSignal): Promise<Reply> {
  let { target } = request
  for (let redirects = 0; ; redirects++) {
    const reply = await once({ ...request, target }, way, ends)
    if (!REDIRECTS.has(reply.status) || reply.location === undefined) return reply
    if (redirects === MOST_REDIRECTS) throw new VaultError(`stopped after ${MOST_REDIRECTS} redirects`)
    target = redirected(target, reply.location)
  }
}

/** The token must not go to another server, nor over plaintext. @throws VaultError */
function redirected(from: VaultTarget, location: string): VaultTarget {
  const absolute = location.startsWith('/') && !location.startsWith('//')
  const origin = from.shown.slice(0, from.shown.length - from.path.length)
  const next = targetOf(absolute ? `${origin}${location}` : location, 'failed creating http request')
  if (isSameServer(from, next)) return { ...next, authorization: from.authorization }
  const isKnown = next.isSecure !== undefined
  const elsewhere = goQuote(isKnown ? `${next.scheme}://${next.host}:${next.port}` : next.shown)
  throw new VaultError(
    `redirected to ${elsewhere}, where the token must not go: set VAULT_ADDR to the address that answers`,
  )
}

async function once(request: VaultRequest, way: VaultWay, ends: AbortSignal): Promise<Reply> {
  const { target } = request
  const { isSecure, scheme } = target
  if (isSecure === undefined) throw unsent(request, `unsupported protocol scheme ${goQuote(scheme)}`)
  const question = questionOf(request, way)
  try {
    return await exchange({ ...question, isSecure, signal: ends })
  } catch (error) {
    const late = `request timeout (${formatGoDuration(way.timeoutMs)})`
    if (error instanceof BrokenReply) throw brokenOff(request, error, ends.aborted ? late : error.message)
    throw unsent(request, ends.aborted ? late : goHttpError(error as NodeJS.ErrnoException, target))
  }
}

function questionOf(
  { target, headers, body }: VaultRequest,
  way: VaultWay,
): Omit<HttpQuestion, 'isSecure' | 'signal'> {
  const { isSecure, host, port, path, authorization } = target
  return {
    host,
    port,
    path,
    limit: LONGEST_ANSWER,
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...headers,
      'X-Vault-Request': 'true',
      ...(way.namespace !== '' && { 'X-Vault-Namespace': way.namespace }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(authorization !== undefined && { Authorization: authorization }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(isSecure === true && { tls: { context: way.secureContext(), skipVerify: way.skipVerify } }),
    proxy: way.proxyTo(host, port),
  }
}

function unsent({ target, body }: VaultRequest, reason: string): VaultError {
  return new VaultError(`${body === undefined ? 'Get' : 'Post'} "${target.shown}": ${reason}`)
}

/** What has come of an answer that is no success is left out: it may be cut in the middle of anything. */
function brokenOff({ undecoded: words }: VaultRequest, { head }: BrokenReply, reason: string): VaultError {
  const { status } = head
  if (status === 200 || status === 204) return undecoded(words, head, reason)
  if (status >= 400 && status <= 499) return undecoded('failed decoding error response', head, reason)
  return new VaultError(`failed performing request, status=${status}, body=(${reason})`)
}

/** The text of an error may come from elsewhere, repeat what was sent, and be long. Cut last: half a token is one, too. */
function presentable({ message }: VaultError, credential: Secret): VaultError {
  const secret = credential.reveal()
  const isKnown = secret.length >= SHORTEST_CREDENTIAL
  const redacted = isKnown ? message.replaceAll(secret, '[REDACTED]') : message
  return new VaultError(redacted.slice(0, SHOWN_CHARACTERS))
}
