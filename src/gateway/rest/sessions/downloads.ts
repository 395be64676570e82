import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isSameKey } from '../../agents/agents.ts'
import type { History } from '../../history/history.ts'
import type { SessionSummary } from '../../history/session.ts'
import type { AccessToken, GatewayUser } from '../../identity.ts'
import { refused, RequestRefused } from '../../refusals/request-refused.ts'
import { apiUrl } from '../gateway-routes.ts'
import { firstOption, type Query } from '../mount.ts'
import type { RestServices } from '../services.ts'
import { momentOf, readResultForm, resultOf, type ResultForm, type SessionOfUser } from './session-view.ts'

/** These routes need no user, because each link has its own token. */
const DOWNLOADS = ['/api/sessions/:id/download', '/api/sessions/:id/download/input'] as const

interface DownloadRequest {
  Params: { id: string }
  Querystring: Query
}

type Redeeming = Pick<RestServices, 'history' | 'users'>

/** Finds only sessions that the user may see. @throws RequestRefused 404 */
type Find = (user: GatewayUser, id: string) => SessionOfUser

/**
 * The second step of a download, after `sendDownloadLink`.
 * @param find tells whether the user of the link may still see the session
 */
export function downloadRoutes(
  app: FastifyInstance,
  services: Redeeming,
  tokens: DownloadTokens,
  find: Find,
): void {
  const { history } = services
  const [output, input] = DOWNLOADS
  app.get<DownloadRequest>(output, (request, reply) =>
    sendOutputFile(reply, history, redeemed(services, tokens, request, find), request.query),
  )
  app.get<DownloadRequest>(input, (request, reply) =>
    sendInputFile(reply, history, redeemed(services, tokens, request, find), request.query),
  )
}

/** Tells whether a request for a session asks for a download link instead. */
export function asksForDownload(query: Query): boolean {
  return ['extension', 'blob-type'].some((name) => (firstOption(query, name) ?? '') !== '')
}

/** The first step of a download. The link works once. */
export function sendDownloadLink(
  request: FastifyRequest<DownloadRequest>,
  reply: FastifyReply,
  session: SessionSummary,
  tokens: DownloadTokens,
): FastifyReply {
  const { query, server } = request
  const { token, expiresAt } = tokens.issue(session.id, request.token)
  const isInput = firstOption(query, 'blob-type') === 'session_input'
  const options = new URLSearchParams([['token', token], ...downloadOptions(query)])
  const path = `/api/sessions/${encodeURIComponent(session.id)}/download${isInput ? '/input' : ''}`
  return reply.header('cache-control', 'no-store').send({
    download_url: `${apiUrl(server, request)}${path}?${options.toString()}`,
    expire_at: expiresAt.toISOString(),
  })
}

/** @throws RequestRefused 401, 404, 410 */
function redeemed(
  { history, users }: Redeeming,
  tokens: DownloadTokens,
  request: FastifyRequest<DownloadRequest>,
  find: Find,
): SessionSummary {
  const { id } = request.params
  const { outcome, by } = tokens.redeem(id, firstOption(request.query, 'token') ?? '')
  request.auditedActor = by?.user ?? ''
  const session = history.session(id)
  if (session === undefined || outcome === 'none')
    throw refused('session-not-found/resource', {}, WITH_STATUS)
  if (by === undefined || users.refusal(by) !== undefined)
    throw refused('unauthenticated/download', {}, WITH_STATUS)
  if (outcome === 'expired') throw refused('download-expired', {}, WITH_STATUS)
  // The user may have lost the right to read the session after the link was made: the user may have left a
  // group, or the connection may now hide its sessions from other users.
  const user = users.named(by.user)
  if (user === undefined || !isReadable(find, user, id))
    throw refused('session-not-found/resource', {}, WITH_STATUS)
  return session
}

function isReadable(find: Find, user: GatewayUser, id: string): boolean {
  try {
    return find(user, id).withOutput
  } catch (error) {
    if (error instanceof RequestRefused) return false
    throw error
  }
}

const WITH_STATUS = { isStatusInBody: true }

const TAB = 0x09
const COMMA = 0x2c
const MAX_EXTENSION_CHARACTERS = 10

/** Returns the options of the request that the link repeats. */
function downloadOptions(query: Query): [string, string][] {
  const kept = ['newline', 'event-time', 'events'].map((name): [string, string] => [
    name,
    firstOption(query, name) ?? '',
  ])
  return [['extension', extensionOf(query)], ...kept]
}

function sendOutputFile(
  reply: FastifyReply,
  history: History,
  session: SessionSummary,
  query: Query,
): FastifyReply {
  const form = readResultForm(query)
  const extension = extensionOf(query)
  if (extension === 'json')
    return sendFile(reply, session, { extension, pieces: json(history, session, form) })
  const { pieces, length } = resultOf(history, session, form)
  return sendFile(reply, session, {
    extension,
    length,
    pieces: extension === 'csv' ? withCommas(pieces) : pieces,
  })
}

function sendInputFile(
  reply: FastifyReply,
  history: History,
  session: SessionSummary,
  query: Query,
): FastifyReply {
  return sendFile(reply, session, { extension: extensionOf(query), pieces: history.script(session.id) })
}

interface File {
  readonly extension: string
  readonly pieces: Iterable<Buffer | string>
  readonly length?: number | undefined
}

function sendFile(
  reply: FastifyReply,
  session: SessionSummary,
  { extension, pieces, length }: File,
): FastifyReply {
  void reply
    .type('application/octet-stream')
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'no-store')
    .header('content-disposition', `attachment; filename=${fileName(session, extension)}`)
  // hoop's gateway uses the header name `accept-length`.
  if (length !== undefined) void reply.header('accept-length', length).header('content-length', length)
  return reply.send(Readable.from(pieces, { objectMode: false }))
}

/**
 * Makes the file's name. Characters of the connection's name that are special in headers, shells or file
 * systems are replaced.
 */
function fileName({ connection, id, startedAt }: SessionSummary, extension: string): string {
  const time = startedAt
    .toISOString()
    .replace(/[-:]|\..*/g, '')
    .replace('T', '-')
  const name = `${connection}-${id}`.replace(/[^A-Za-z0-9_.-]/g, '_').replace(/^\.+/, '_')
  return `${name}-${time}.${extension}`
}

function extensionOf(query: Query): string {
  const asked = firstOption(query, 'extension') ?? ''
  return asked.replace(/[^A-Za-z0-9]/g, '').slice(0, MAX_EXTENSION_CHARACTERS) || 'txt'
}

function* withCommas(pieces: Iterable<Buffer>): Generator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece.map((byte) => (byte === TAB ? COMMA : byte)))
}

function* json(history: History, { id, clockAt }: SessionSummary, form: ResultForm): Generator<string> {
  let separator = '['
  for (const { kind, seconds, bytes } of history.events(id)) {
    if (!form.events.has(kind)) continue
    const event = { stream: bytes.toString(), time: momentOf(clockAt, seconds), type: kind }
    yield `${separator}${JSON.stringify(event)}`
    separator = ','
  }
  yield separator === '[' ? '[]' : ']'
}

const LIFE_MS = 5 * 60 * 1000
/** Most tokens per user and of all users. Above a limit, the oldest token is dropped. */
const MAX_TOKENS_PER_USER = 100
const MAX_TOKENS = 10_000

interface Pending {
  /** Hash of the link's token. The token itself is not stored. */
  readonly sha256: Buffer
  /** Token of the user who asked for the link. */
  readonly by: AccessToken
  readonly expiresAt: number
}

interface Redeemed {
  readonly outcome: 'valid' | 'none' | 'wrong' | 'expired'
  /** Token of the user who asked for the link. It is set for `valid` and `expired`. */
  readonly by?: AccessToken
}

/**
 * Tokens of links. A token is valid for one request about one session, for five minutes. A session has one
 * token at a time.
 */
export class DownloadTokens {
  readonly #now: () => number
  /** Tokens by session, oldest first. */
  readonly #pending = new Map<string, Pending>()

  /** @param now time in ms since 1970, by which access tokens expire, too */
  constructor(now: () => number) {
    this.#now = now
  }

  issue(session: string, by: AccessToken): { token: string; expiresAt: Date } {
    const token = randomBytes(32).toString('hex')
    const expiresAt = this.#now() + LIFE_MS
    this.#pending.delete(session)
    this.#makeRoom(by.user)
    this.#pending.set(session, { sha256: createHash('sha256').update(token).digest(), by, expiresAt })
    return { token, expiresAt: new Date(expiresAt) }
  }

  /**
   * Removes the session's token even if `token` is wrong, so that no caller can try twice.
   * @returns also the access token of the user who asked for the link
   */
  redeem(session: string, token: string): Redeemed {
    const pending = this.#pending.get(session)
    this.#pending.delete(session)
    if (pending === undefined) return { outcome: 'none' }
    if (!isSameKey(token, pending.sha256)) return { outcome: 'wrong' }
    return { outcome: this.#now() < pending.expiresAt ? 'valid' : 'expired', by: pending.by }
  }

  #makeRoom(user: string): void {
    const own = [...this.#pending].filter(([, pending]) => pending.by.user === user)
    const [oldestOwn] = own.length < MAX_TOKENS_PER_USER ? [] : own
    const [oldest] = this.#pending.size < MAX_TOKENS ? [] : this.#pending
    const victim = oldestOwn ?? oldest
    if (victim !== undefined) this.#pending.delete(victim[0])
  }
}
