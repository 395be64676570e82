import * as v from 'valibot'
import { pathOf, type AnswerOf } from '../../contract/contract.ts'
import type { StatementsAnswer } from '../../contract/session-output.ts'
import type { ListedSession, ShownSession } from '../../contract/session-shape.ts'
import { sessionContract, sessionListContract, sessionStreamContract } from '../../contract/sessions.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from './api-error.ts'
import { call, type Read } from './call.ts'
import { askJson, askWell, noGateway } from './json.ts'

/** A session in the gateway's record. Make its texts printable before you show them. */
export type RecordedSession = Read<ListedSession | ShownSession>

/** Older gateways of hoop send the name in another field. */
export function userOf({ user, user_name: name }: RecordedSession): string {
  return user || name
}

/**
 * Returns the time at which the command began. Returns an empty text if this is unknown. hoop's sessions have
 * only the time of the request, from which an approved session may begin much later.
 */
export function beginningOf({ began_at: began, start_date: asked, state, review }: RecordedSession): string {
  const isOfHoop = state === undefined
  return isOfHoop && review === undefined ? asked : began
}

export function runbookOf({ labels }: RecordedSession): string | undefined {
  return labels?.['runbookFile']
}

/** @throws ApiError `not-found` */
export async function fetchSession(
  account: Account,
  id: string,
  signal?: AbortSignal,
): Promise<RecordedSession> {
  const session = await call(account, sessionStreamContract.show, { id }, { signal })
  // Gateways send a link only if the request asks for it, so this answer is not from a gateway.
  if ('download_url' in session) throw noGateway(account, { path: sessionPath(id) }, 200)
  return session
}

export interface SessionFilter {
  readonly connection?: string | undefined
  /** The user. For hoop's gateway, this must be a subject id. */
  readonly user?: string | undefined
  /** Only sessions that were asked for between `from` and `to` match. hoop's gateway ignores `to` without `from`. */
  readonly from?: Date | undefined
  readonly to?: Date | undefined
  // hoop's gateway ignores `status`, `runbook`, `kind`, `parameter`, `text` and `schedule`: check the answer's
  // sessions.
  readonly status?: string | undefined
  readonly runbook?: string | undefined
  readonly kind?: string | undefined
  /** Part of a parameter's value. */
  readonly parameter?: string | undefined
  /** Words, each of which is in the runbook, the user or the value of a parameter. */
  readonly text?: string | undefined
  readonly schedule?: string | undefined
  /** A pattern as in SQL, such as `PENDING` or `%`. */
  readonly review?: string | undefined
  readonly correlationId?: string | undefined
  /** At most 100: gateways send no more on one page. */
  readonly limit: number
  readonly offset?: number | undefined
}

/** Asks again for what an answer has left out: a gateway ends it early if statements are large. @throws ApiError */
export async function firstStatements(
  account: Account,
  id: string,
  limit: number,
): Promise<Read<StatementsAnswer>> {
  const ask = (query: Readonly<Record<string, string>>) =>
    call(account, sessionContract.statements, { id }, { query })
  const first = await ask({ limit: String(limit), count: 'true' })
  const statements = [...first.statements]
  let { has_more: hasMore } = first
  while (hasMore && statements.length < limit) {
    const offset = statements.length
    const next = await ask({ offset: String(offset), limit: String(limit - offset) })
    if (next.statements.length === 0) break
    statements.push(...next.statements)
    hasMore = next.has_more
  }
  return { ...first, statements, has_more: hasMore }
}

interface SessionPage {
  readonly sessions: readonly RecordedSession[]
  readonly hasMore: boolean
  /** Undefined without the filter `parameter`, and from hoop's gateway. */
  readonly search: ListAnswer['parameter_search']
  /** Undefined unless the gateway has searched for a text. */
  readonly lookedAt: ListAnswer['looked_at']
}

type ListAnswer = AnswerOf<(typeof sessionListContract)['list'], 200>

/** The newest session first. @throws ApiError */
export async function listSessions(
  account: Account,
  filter: SessionFilter,
  signal?: AbortSignal,
): Promise<SessionPage> {
  const listed = await call(account, sessionListContract.list, {}, { query: queryOf(filter), signal })
  return {
    sessions: listed.data,
    hasMore: listed.has_next_page,
    search: listed.parameter_search,
    lookedAt: listed.looked_at,
  }
}

function queryOf({ limit, offset, ...filter }: SessionFilter): Readonly<Record<string, string>> {
  const from = filter.from ?? (filter.to === undefined ? undefined : new Date(0))
  const options = {
    limit: String(limit),
    offset: offset === undefined ? undefined : String(offset),
    connection: filter.connection,
    user: filter.user,
    start_date: from?.toISOString(),
    end_date: filter.to?.toISOString(),
    status: filter.status,
    runbook: filter.runbook,
    kind: filter.kind,
    parameter: filter.parameter,
    text: filter.text,
    schedule: filter.schedule,
    'review.status': filter.review,
    correlation_id: filter.correlationId,
  }
  return given(options)
}

/** Returns undefined while the request has started no session. @throws ApiError */
export async function findByCorrelation(
  account: Account,
  correlationId: string,
  signal?: AbortSignal,
): Promise<RecordedSession | undefined> {
  const { sessions } = await listSessions(account, { correlationId, limit: 5 }, signal)
  // A gateway that does not know the filter answers with other sessions.
  return sessions.find((session) => session.correlation_id === correlationId)
}

/**
 * Ends a session. If the session has already ended, this is no error.
 * @throws ApiError `not-found`, `refused`
 */
export async function killSession(account: Account, id: string): Promise<void> {
  await call(account, sessionContract.kill, { id })
}

/** Can be read once. */
export type RecordedOutput = AsyncIterable<Buffer> | Iterable<Buffer>

/** Returns the session's output so far, byte for byte. @throws ApiError, also when the stream breaks */
export async function openOutput(
  account: Account,
  id: string,
  signal?: AbortSignal,
): Promise<RecordedOutput> {
  try {
    const { method, path } = sessionStreamContract.result
    const answer = await askWell(account, { method, path: pathOf(path, { id }), signal })
    if (answer.contentType.startsWith('text/plain')) return answer.body
    answer.discard()
  } catch (error) {
    if (!isMissingEndpoint(error)) throw error
  }
  return oldOutput(account, id, signal)
}

/** Whether the gateway may lack the endpoint. Some gateways without it answer that the session is missing. */
function isMissingEndpoint(error: unknown): boolean {
  return error instanceof ApiError && (error.kind === 'not-found' || error.kind === 'no-gateway')
}

/** Bytes; enough for all recorded output (`RECORDED_BYTES`) in base64. */
const MAX_STREAM_BYTES = 256 * 1024 * 1024
const OldOutput = v.object({ event_stream: v.nullish(v.array(v.string()), []) })

/** Reads the output from older gateways, which have no stream of results. */
async function oldOutput(account: Account, id: string, signal?: AbortSignal): Promise<RecordedOutput> {
  const path = `${sessionPath(id)}?expand=event_stream&event_stream=base64`
  const { value } = await askJson(account, { method: 'GET', path, signal }, OldOutput, MAX_STREAM_BYTES)
  return value.event_stream.map((text) => Buffer.from(text, 'base64'))
}

/**
 * `kind` is `o` or `e` for output, `i` for input, and `r` for a terminal's size as `COLSxROWS`. `seconds`
 * count from the session's start.
 */
export type RecordedEvent = readonly [seconds: number, kind: string, content: Buffer]

const Events = v.object({
  event_stream: v.nullish(v.array(v.tuple([v.number(), v.string(), v.string()])), []),
})

export async function fetchEvents(account: Account, id: string): Promise<readonly RecordedEvent[]> {
  const path = `${sessionPath(id)}?expand=event_stream,resize`
  const { value } = await askJson(account, { method: 'GET', path }, Events, MAX_STREAM_BYTES)
  return value.event_stream.map(([seconds, kind, content]) => [seconds, kind, Buffer.from(content, 'base64')])
}

function sessionPath(id: string): string {
  return pathOf(sessionStreamContract.show.path, { id })
}

/** A gateway may read very many sessions before it finds a match. */
const PIECE_MS = 10 * 60 * 1000
const NEWLINE = 0x0a

/** A missing option matches all sessions. */
export interface ExportWish extends Pick<
  SessionFilter,
  'connection' | 'user' | 'runbook' | 'status' | 'kind' | 'parameter' | 'text' | 'schedule' | 'from' | 'to'
> {
  /** The cursor of a session. Only later sessions are exported. */
  readonly after?: string | undefined
}

/** Yields whole lines in the gateway's order. @throws ApiError, also when the answer breaks off */
export async function* exportedLines(
  account: Account,
  wish: ExportWish,
): AsyncGenerator<Buffer, void, undefined> {
  const path = `/api/sessions/export?${optionsOf(wish).toString()}`
  const { body } = await askWell(account, { method: 'GET', path, answerMs: PIECE_MS, pieceMs: PIECE_MS })
  let rest: Buffer[] = []
  for await (const piece of body) {
    const end = piece.lastIndexOf(NEWLINE) + 1
    if (end > 0) yield Buffer.concat([...rest, piece.subarray(0, end)])
    rest = end > 0 ? [piece.subarray(end)] : [...rest, piece]
  }
}

function given(options: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const all = Object.entries(options)
  return Object.fromEntries(all.filter((option): option is [string, string] => option[1] !== undefined))
}

function optionsOf({ from, to, ...texts }: ExportWish): URLSearchParams {
  const options = { ...texts, start_date: from?.toISOString(), end_date: to?.toISOString() }
  return new URLSearchParams(given(options))
}

/** Returns the cursor of the last line; undefined when that line is not from an export. */
export function lastCursor(lines: Buffer): string | undefined {
  const begin = lines.lastIndexOf(NEWLINE, lines.length - 2) + 1
  try {
    const { cursor } = JSON.parse(lines.toString('utf8', begin)) as { readonly cursor?: unknown }
    return typeof cursor === 'string' && /^\d{1,15}$/.test(cursor) ? cursor : undefined
  } catch {
    return undefined
  }
}
