import * as v from 'valibot'
import { pathOf } from '../../contract/contract.ts'
import type { StatementsAnswer } from '../../contract/session-output.ts'
import { sessionContract, sessionListContract, sessionStreamContract } from '../../contract/sessions.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from './api-error.ts'
import { call, type Read } from './call.ts'
import { askJson, askWell } from './json.ts'

/** One execution or terminal in the gateway's record. Make its texts printable before you show them. */
export interface RecordedSession {
  readonly id: string
  readonly user: string
  readonly connection: string
  readonly verb: string
  /** `open`: the session runs. `ready`: it is approved and waits to be run. `done`: it has ended. */
  readonly status: string
  /** The exit code; 254 when the session has none, undefined while it runs. */
  readonly exitCode: number | undefined
  readonly startedAt: string
  readonly endedAt: string | undefined
  /** Bytes of output recorded so far. hoop records every 50 s, and at the end. */
  readonly outputBytes: number
  /** The file of the session's runbook; undefined for other sessions. */
  readonly runbook: string | undefined
  /** PENDING, APPROVED, REJECTED, REVOKED, PROCESSING, EXECUTED; undefined when there is no review. */
  readonly review: string | undefined
  /** The state in the gateway's words; undefined in sessions of hoop's gateway. */
  readonly state: RecordedState | undefined
  /** Whether the session has statements of native clients; false in sessions of hoop's gateway. */
  readonly isPort: boolean
  readonly raw: object
}

interface RecordedState {
  /** One of the gateway's words for states (docs/rest.md). */
  readonly name?: string | undefined
  readonly text: string
  /**
   * The time since when another session has the lock that this session waits for; empty without such a lock.
   */
  readonly since: string
}

// Sessions are read by a shape of their own. The contract's shape would read an exit code of another type as
// 0, which is success, and it lacks some forms in which hoop's gateways send output.
const Raw = v.looseObject({
  id: v.string(),
  user: v.nullish(v.string(), ''),
  user_name: v.nullish(v.string(), ''),
  connection: v.nullish(v.string(), ''),
  verb: v.nullish(v.string(), ''),
  status: v.string(),
  exit_code: v.nullish(v.number()),
  start_date: v.nullish(v.string(), ''),
  end_date: v.nullish(v.string()),
  event_size: v.nullish(v.number(), 0),
  port: v.fallback(v.optional(v.boolean(), false), false),
  labels: v.fallback(v.nullish(v.looseObject({ runbookFile: v.nullish(v.string()) })), undefined),
  review: v.nullish(v.looseObject({ status: v.nullish(v.string()) })),
  state: v.fallback(
    v.optional(
      v.looseObject({ name: v.optional(v.string()), text: v.string(), since: v.nullish(v.string(), '') }),
    ),
    undefined,
  ),
})

function toSession(raw: v.InferOutput<typeof Raw>): RecordedSession {
  return {
    id: raw.id,
    user: raw.user === '' ? raw.user_name : raw.user,
    connection: raw.connection,
    verb: raw.verb,
    status: raw.status,
    exitCode: raw.exit_code ?? undefined,
    startedAt: raw.start_date,
    endedAt: raw.end_date ?? undefined,
    outputBytes: raw.event_size,
    runbook: raw.labels?.runbookFile ?? undefined,
    review: raw.review?.status ?? undefined,
    state: raw.state,
    isPort: raw.port,
    raw,
  }
}

/** @throws ApiError `not-found` */
export async function fetchSession(
  account: Account,
  id: string,
  signal?: AbortSignal,
): Promise<RecordedSession> {
  const { value } = await askJson(account, { method: 'GET', path: sessionPath(id), signal }, Raw)
  return toSession(value)
}

export interface SessionFilter {
  readonly connection?: string | undefined
  /** A user; on hoop's gateway a subject id. */
  readonly user?: string | undefined
  /** Only sessions that began in this span. hoop ignores `to` without `from`. */
  readonly from?: Date | undefined
  readonly to?: Date | undefined
  // hoop's gateway ignores the next four filters, so check the sessions that it sends.
  /** `open`, `ready`, `done` or an outcome. */
  readonly status?: string | undefined
  readonly runbook?: string | undefined
  readonly kind?: string | undefined
  /** A text that one of the parameters contains. */
  readonly parameter?: string | undefined
  /** The review's status as a pattern of SQL: `PENDING`, `%`. */
  readonly review?: string | undefined
  readonly correlationId?: string | undefined
  /** At most 100: gateways send no more on one page. */
  readonly limit: number
  readonly offset?: number | undefined
}

const RawList = v.object({
  data: v.nullish(v.array(Raw), []),
  has_next_page: v.nullish(v.boolean(), false),
})

/** Returns the first statements of a session's native clients. @throws ApiError */
export async function firstStatements(
  account: Account,
  id: string,
  limit: number,
): Promise<Read<StatementsAnswer>> {
  return call(account, sessionContract.statements, { id }, { query: { limit: String(limit) } })
}

interface SessionPage {
  readonly sessions: readonly RecordedSession[]
  readonly hasMore: boolean
}

/** Returns sessions, the newest first. @throws ApiError */
export async function listSessions(
  account: Account,
  filter: SessionFilter,
  signal?: AbortSignal,
): Promise<SessionPage> {
  const question = {
    method: 'GET',
    path: `${sessionListContract.list.path}?${queryOf(filter).toString()}`,
    signal,
  } as const
  const { value } = await askJson(account, question, RawList)
  return { sessions: value.data.map(toSession), hasMore: value.has_next_page }
}

function queryOf({ limit, offset, ...filter }: SessionFilter): URLSearchParams {
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
    'review.status': filter.review,
    correlation_id: filter.correlationId,
  }
  return given(options)
}

/**
 * Returns the session that the request with this id has started; undefined when there is none (yet).
 * @throws ApiError
 */
export async function findByCorrelation(
  account: Account,
  correlationId: string,
  signal?: AbortSignal,
): Promise<RecordedSession | undefined> {
  const { sessions } = await listSessions(account, { correlationId, limit: 5 }, signal)
  // A gateway that does not know the filter answers with other sessions.
  return sessions.find(({ raw }) => 'correlation_id' in raw && raw.correlation_id === correlationId)
}

/** Kills a session; a session that has ended is no error. @throws ApiError `not-found`, `refused` */
export async function killSession(account: Account, id: string): Promise<void> {
  await call(account, sessionContract.kill, { id })
}

/** Output that can be read once, by `for await`. */
export type RecordedOutput = AsyncIterable<Buffer> | Iterable<Buffer>

/**
 * Returns the output that the session has written so far, byte for byte.
 * @throws ApiError, also when the stream breaks
 */
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

/**
 * Whether the endpoint is missing. A gateway without this endpoint also answers that the session is missing.
 */
function isMissingEndpoint(error: unknown): boolean {
  return error instanceof ApiError && (error.kind === 'not-found' || error.kind === 'no-gateway')
}

/** Bytes: enough for all recorded output (`RECORDED_BYTES`) in base64. */
const LONGEST_STREAM = 256 * 1024 * 1024
const OldOutput = v.object({ event_stream: v.nullish(v.array(v.string()), []) })

/** Reads output from an older gateway, which has no stream of results. */
async function oldOutput(account: Account, id: string, signal?: AbortSignal): Promise<RecordedOutput> {
  const path = `${sessionPath(id)}?expand=event_stream&event_stream=base64`
  const { value } = await askJson(account, { method: 'GET', path, signal }, OldOutput, LONGEST_STREAM)
  return value.event_stream.map((text) => Buffer.from(text, 'base64'))
}

/**
 * `o` and `e` are output, `i` is input, `r` is a terminal's size as `COLSxROWS`. Seconds count from the
 * start.
 */
export type RecordedEvent = readonly [seconds: number, kind: string, content: Buffer]

const Events = v.object({
  event_stream: v.nullish(v.array(v.tuple([v.number(), v.string(), v.string()])), []),
})

export async function fetchEvents(account: Account, id: string): Promise<readonly RecordedEvent[]> {
  const path = `${sessionPath(id)}?expand=event_stream,resize`
  const { value } = await askJson(account, { method: 'GET', path }, Events, LONGEST_STREAM)
  return value.event_stream.map(([seconds, kind, content]) => [seconds, kind, Buffer.from(content, 'base64')])
}

function sessionPath(id: string): string {
  return pathOf(sessionStreamContract.show.path, { id })
}

/** A gateway may have to look through very many sessions before one matches. */
const PIECE_MS = 10 * 60 * 1000
const NEWLINE = 0x0a

/** Filter of an export; a missing option matches all sessions. */
export interface ExportWish extends Pick<
  SessionFilter,
  'connection' | 'user' | 'runbook' | 'status' | 'kind' | 'parameter' | 'from' | 'to'
> {
  /** The cursor of a session: only sessions after this one. */
  readonly after?: string | undefined
}

/** Yields whole lines in the order in which they come. @throws ApiError, also when the answer breaks off */
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

function given(options: Readonly<Record<string, string | undefined>>): URLSearchParams {
  const all = Object.entries(options)
  return new URLSearchParams(all.filter((option): option is [string, string] => option[1] !== undefined))
}

function optionsOf({ from, to, ...texts }: ExportWish): URLSearchParams {
  const options = { ...texts, start_date: from?.toISOString(), end_date: to?.toISOString() }
  return given(options)
}

/** Returns the cursor of the last of some whole lines; undefined when that line is not from an export. */
export function lastCursor(lines: Buffer): string | undefined {
  const begin = lines.lastIndexOf(NEWLINE, lines.length - 2) + 1
  try {
    const { cursor } = JSON.parse(lines.toString('utf8', begin)) as { readonly cursor?: unknown }
    return typeof cursor === 'string' && /^\d{1,15}$/.test(cursor) ? cursor : undefined
  } catch {
    return undefined
  }
}
