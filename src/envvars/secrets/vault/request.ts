import type { SecureContext } from 'node:tls'
import { patience } from '../../../basics/abort.ts'
import { BrokenReply, exchange, type HttpQuestion, type Reply } from '../../../basics/net/exchange.ts'
import { goHttpError } from '../../../basics/net/go-errors.ts'
import type { Proxy } from '../../../basics/net/proxy.ts'
import { basicAuthorization, withoutCredentials } from '../../../basics/net/url-credentials.ts'
import type { Secret } from '../../../basics/secret.ts'
import { formatGoDuration } from '../../../golang/text/duration.ts'
import { isJsonObject, jsonKind, parseJson } from '../../../golang/text/json.ts'
import { goQuote } from '../../../golang/text/quote.ts'

/** An error whose message has hoop's words. */
export class VaultError extends Error {
  override readonly name = 'VaultError'
}

/**
 * Version of the key-value engine. It decides where an answer has the members. hoop's decoder also names it
 * in error texts.
 */
export type KeyValueVersion = 1 | 2

/** @throws VaultError if the status is neither 200 nor 204 */
function refuseFailure(reply: Reply): void {
  const { status, body } = reply
  if (status === 200 || status === 204) return
  if (status < 400 || status > 499) {
    // A body with a status below 400 is not shown, because it may be the secret itself.
    const shown = status < 400 ? '(not shown)' : body.toString()
    throw new VaultError(`failed performing request, status=${status}, body=${shown}`)
  }
  const { value, problem } = parseJson(body.toString())
  if (problem !== undefined) throw undecoded('failed decoding error response', reply, problem)
  const errors = isJsonObject(value) ? value['errors'] : undefined
  const texts = Array.isArray(errors) ? errors.filter((each) => typeof each === 'string') : []
  throw new VaultError(`vault error response, status=${status}, errs=${texts.join('; ')}`)
}

/**
 * Returns the error for an answer that cannot be read.
 * @param what the first words of the message, as in hoop
 */
function undecoded(
  what: string,
  { status, length }: Pick<Reply, 'status' | 'length'>,
  reason: string,
): VaultError {
  return new VaultError(`${what}, status=${status}, length=${length}, reason=${reason}`)
}

/**
 * Returns the token of a login, or an empty text if the answer has no token.
 * @throws VaultError
 */
export function tokenIn(reply: Reply, what: string): string {
  const { value, problem } = parseJson(reply.body.toString())
  if (problem !== undefined) throw undecoded(what, reply, problem)
  const auth = isJsonObject(value) ? value['auth'] : undefined
  const token = isJsonObject(auth) ? auth['client_token'] : undefined
  return typeof token === 'string' ? token : ''
}

/**
 * Returns the members of a secret. A null is the empty text. Any other value that is not a string makes the
 * whole secret invalid.
 * @throws VaultError
 */
export function membersIn(reply: Reply, version: KeyValueVersion): ReadonlyMap<string, string> {
  const { value, problem } = parseJson(reply.body.toString())
  const decoded = problem ?? decode(value, version)
  if (typeof decoded === 'string') throw undecoded('failed decoding response', reply, decoded)
  return decoded
}

/** Returns the members, or the text of Go's decoder. */
function decode(value: unknown, version: KeyValueVersion): ReadonlyMap<string, string> | string {
  const outer = `secretsmanager.KeyValV${version}`
  if (value === null) return new Map()
  if (!isJsonObject(value)) return mismatch(value, `value of type ${outer}`)
  if (version === 1) return strings(value['data'], 'KeyValV1.data')
  const data = value['data'] ?? {}
  if (!isJsonObject(data))
    return mismatch(data, 'struct field KeyValV2.data of type secretsmanager.KeyValData')
  return strings(data['data'], 'KeyValData.data.data')
}

function strings(value: unknown, field: string): ReadonlyMap<string, string> | string {
  if (value === undefined || value === null) return new Map()
  if (!isJsonObject(value)) return mismatch(value, `struct field ${field} of type map[string]string`)
  const members = Object.entries(value).map(([name, member]) => [name, member ?? ''] as const)
  const other = members.find(([, member]) => typeof member !== 'string')
  if (other !== undefined) return mismatch(other[1], `struct field ${field} of type string`)
  return new Map(members as (readonly [string, string])[])
}

function mismatch(value: unknown, place: string): string {
  return `json: cannot unmarshal ${jsonKind(value)} into Go ${place}`
}

export interface VaultTarget {
  /** Undefined for a URL that is not HTTP. A request to this URL fails later. */
  readonly isSecure: boolean | undefined
  /** The URL in Go's form: it is escaped and has no password. */
  readonly shown: string
  readonly scheme: string
  readonly host: string
  readonly port: number
  readonly path: string
  /** Name and password of the URL, as the value of a header. */
  readonly authorization: string | undefined
}

/**
 * Characters that must be escaped in a path. `%` is not among them, so that existing escapes are not escaped
 * twice.
 */
const UNSENDABLE = /[^\w!#$%&'()*+,./:;=?@[\]~-]/gu
const DEFAULT_PORTS = { http: 80, https: 443 } as const

/**
 * Parses a URL like Go, which keeps dots and doubled slashes in the path.
 * @throws VaultError
 */
export function targetOf(url: string, what: string): VaultTarget {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? ''
  if (scheme !== 'http' && scheme !== 'https') return foreign(url, scheme, what)
  const [, authority = '', rest = ''] = /^[^:]*:\/\/([^/?#]*)([^#]*)/.exec(url) ?? []
  const parsed = parseOrigin(scheme, authority, url, what)
  const path = rest.replaceAll(UNSENDABLE, (character) => encodeURIComponent(character))
  const { username, password, host, hostname, port } = parsed
  const user = username === '' ? '' : `${username}${password === '' ? '' : ':***'}@`
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    isSecure: scheme === 'https',
    shown: `${scheme}://${user}${host}${path}`,
    scheme,
    host: hostname.replaceAll(/^\[|\]$/g, ''),
    port: port === '' ? DEFAULT_PORTS[scheme] : Number(port),
    path: path.startsWith('/') ? path : `/${path}`,
    authorization: username === '' ? undefined : basicAuthorization(credentials),
  }
}

function isSameServer(one: VaultTarget, other: VaultTarget): boolean {
  return one.scheme === other.scheme && one.host === other.host && one.port === other.port
}

function foreign(url: string, scheme: string, what: string): VaultTarget {
  if (scheme === '' && /^[^/]*:/.test(url)) {
    const fault = 'first path segment in URL cannot contain colon'
    throw new VaultError(`${what}, err=parse "${withoutCredentials(url)}": ${fault}`)
  }
  const shown = withoutCredentials(url)
  return { isSecure: undefined, shown, scheme, host: '', port: 0, path: '', authorization: undefined }
}

function parseOrigin(scheme: string, authority: string, url: string, what: string): URL {
  try {
    const parsed = new URL(`${scheme}://${authority}`)
    decodeURIComponent(parsed.username + parsed.password)
    return parsed
  } catch {
    throw new VaultError(`${what}, err=parse "${withoutCredentials(url)}": invalid host, user or port`)
  }
}

/**
 * Maximum size of an answer in bytes. A secret has some hundred bytes. Vault's own limit for a request is 1
 * MiB.
 */
const MAX_ANSWER_BYTES = 1024 * 1024
/**
 * A credential with at least this length is replaced in texts. A text may contain a shorter credential by
 * chance. Vault's own credentials have 26 or more characters.
 */
const MIN_CREDENTIAL_CHARACTERS = 6
/** Maximum length of an error's text in characters. People see the text once for each variable. */
const SHOWN_CHARACTERS = 4096
const MAX_REDIRECTS = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** The settings for reaching Vault. They are the same for all requests. */
export interface VaultWay {
  readonly namespace: string
  readonly timeoutMs: number
  readonly skipVerify: boolean
  /** Called only if it is needed, because it parses the authorities of the system. */
  readonly secureContext: () => SecureContext
  readonly proxyTo: (host: string, port: number) => Proxy | undefined
}

export interface VaultRequest {
  readonly target: VaultTarget
  readonly headers: Readonly<Record<string, string>>
  /** The body is posted as JSON. A request without a body is a GET. */
  readonly body?: object
  /** The credential in the request. It must not appear in an error's text. */
  readonly credential: Secret
  /** The first words of the error for an answer that cannot be read. */
  readonly undecoded: string
}

/**
 * Returns a successful answer. Fails after Vault's time limit.
 * @throws VaultError, or the signal's reason
 */
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

/** Follows redirects to the same server. */
async function followed(request: VaultRequest, way: VaultWay, ends: AbortSignal): Promise<Reply> {
  let { target } = request
  for (let redirects = 0; ; redirects++) {
    const reply = await once({ ...request, target }, way, ends)
    if (!REDIRECTS.has(reply.status) || reply.location === undefined) return reply
    if (redirects === MAX_REDIRECTS) throw new VaultError(`stopped after ${MAX_REDIRECTS} redirects`)
    target = redirected(target, reply.location)
  }
}

/**
 * Returns the target of a redirect. The token must not be sent to another server or in plaintext.
 * @throws VaultError
 */
function redirected(from: VaultTarget, location: string): VaultTarget {
  const absolute = location.startsWith('/') && !location.startsWith('//')
  const origin = from.shown.slice(0, from.shown.length - from.path.length)
  const next = targetOf(absolute ? `${origin}${location}` : location, 'failed creating http request')
  if (isSameServer(from, next)) return { ...next, authorization: from.authorization }
  const isKnown = next.isSecure !== undefined
  const elsewhere = goQuote(isKnown ? `${next.scheme}://${next.host}:${next.port}` : next.shown)
  throw new VaultError(
    `redirected to ${elsewhere}, but the token must not be sent there: set VAULT_ADDR to the final address`,
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
    limit: MAX_ANSWER_BYTES,
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

/**
 * Makes the error for a reply that broke off. The body of a failure is left out, because it may be cut at any
 * place.
 */
function brokenOff({ undecoded: words }: VaultRequest, { head }: BrokenReply, reason: string): VaultError {
  const { status } = head
  if (status === 200 || status === 204) return undecoded(words, head, reason)
  if (status >= 400 && status <= 499) return undecoded('failed decoding error response', head, reason)
  return new VaultError(`failed performing request, status=${status}, body=(${reason})`)
}

/**
 * Makes an error's text safe to show. The text may be long, may come from another program and may quote the
 * credential. The credential is replaced before the text is cut, because half a token is secret, too.
 */
function presentable({ message }: VaultError, credential: Secret): VaultError {
  const secret = credential.reveal()
  const isKnown = secret.length >= MIN_CREDENTIAL_CHARACTERS
  const redacted = isKnown ? message.replaceAll(secret, '[REDACTED]') : message
  return new VaultError(redacted.slice(0, SHOWN_CHARACTERS))
}
