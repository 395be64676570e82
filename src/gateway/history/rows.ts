import type { SessionKind } from '../../contract/session-state.ts'
import type { Tables } from '../store/room.ts'
import type { NewSession, SessionAsking, SessionEvent, SessionFacts, SessionQuery } from './session.ts'
import { HistoryError } from '../store/errors.ts'

/** What an event costs besides its bytes. It keeps a flood of one-byte events within the limits, too. */
export const EVENT_COST_BYTES = 128
/** A session's row and its places in the indexes, without the request. */
export const SESSION_COST_BYTES = 1024

export function costOf(events: readonly Pick<SessionEvent, 'bytes'>[]): number {
  return events.reduce((sum, { bytes }) => sum + bytes.length + EVENT_COST_BYTES, 0)
}

/** What is stored of a session besides its events. `request` is JSON text; times are in milliseconds since 1970. */
export interface SessionRow {
  readonly key: number
  readonly id: string
  readonly status: 'open' | 'done'
  readonly startedAt: number
  readonly endedAt: number | null
  readonly exitCode: number | null
  readonly truncatedBytes: number
  readonly redactedBytes: number
  /** Null while open. */
  readonly outputBytes: number | null
  readonly guardrails: string | null
  readonly masking: string | null
  /** JSON of an EndCause. */
  readonly cause: string | null
  readonly request: string
  readonly facts: SessionFacts
  /** What keeps an open session from running, if anything does. */
  readonly waits: Waiting | undefined
  /** When it began to run, where that was later than its start. */
  readonly ranAt: number | undefined
}

/** What a session begins with. The columns that searches use are copies from `request`. */
export type NewRow = Pick<SessionRow, 'id' | 'startedAt' | 'request'> &
  Pick<
    NewSession,
    | 'user'
    | 'connection'
    | 'connectionType'
    | 'correlationId'
    | 'sessionBatchId'
    | 'origin'
    | 'verb'
    | 'labels'
  >

/** A runbook of the gateway's own; labels of callers cannot make one. */
export function kindOf({ origin, verb }: Pick<NewRow, 'origin' | 'verb'>): SessionKind {
  if (origin === 'client-api-runbooks') return 'runbook'
  return verb === 'connect' ? 'terminal' : 'script'
}

/** `people` have to approve it first; it is `ready` when they have. */
export type Waiting = 'people' | 'ready'

/** What another room knows of a session, and how it is read. */
export interface SessionPart<Fact> {
  /** SQL of one column for a row of `sessions`: JSON, or null where the room knows nothing of it. */
  readonly column: string
  readonly read: (json: string) => KnownFact<Fact>
}

interface KnownFact<Fact> {
  readonly fact: Fact
  /** What an open session waits for. A session that waits outlives its gateway. */
  readonly waits?: Waiting | undefined
  /** When it began to run, in ms since 1970, where that was later than its start. */
  readonly ranAt?: number | undefined
}

/** Filters of a query that look at tables of other rooms. */
type JoinedFilter =
  | keyof Pick<SessionQuery, 'viewer' | 'reviewStatus' | 'reviewGroups' | 'issueKeys'>
  /** A viewer who sees sessions of others by the settings of connections. */
  | 'teamViewer'
  /** SQL of a column: `waiting`, `approved` or `running`, of a session that has not ended. */
  | 'openOutcome'

/** All that other rooms add to sessions. */
export interface SessionParts {
  readonly facts: {
    readonly [Name in keyof SessionFacts]-?: SessionPart<NonNullable<SessionFacts[Name]>>
  }
  /** SQL: a condition, or what is compared with a pattern. */
  readonly filters: Readonly<Record<JoinedFilter, string>>
  /** SQL: the condition of ended sessions that must not be removed yet. */
  readonly keeps: string
  /** Called in the transaction that inserts a session. */
  readonly begun: (tables: Tables, row: NewRow, asking: SessionAsking) => void
}

/** What has no column of its own, stored as JSON. */
export type StoredRequest = Omit<NewSession, 'id' | 'script' | 'startedAt'>

/** @throws HistoryError */
export function requestText(request: StoredRequest): string {
  try {
    return JSON.stringify(request)
  } catch (error) {
    throw new HistoryError('session history: the metadata of the session cannot be written as JSON', {
      cause: error,
    })
  }
}

/** JSON that `requestText` wrote from the same type, under the same schema version. */
export function requestOf(row: SessionRow): StoredRequest {
  return JSON.parse(row.request) as StoredRequest
}

/** The columns of an event, in the order of the statements. */
export type EventRow = [
  key: number,
  seconds: number,
  kind: SessionEvent['kind'],
  bytes: Buffer,
  stderr: number,
]

export function toEvent([, seconds, kind, bytes, stderr]: EventRow): SessionEvent {
  return { seconds, kind, bytes, ...(stderr !== 0 && { isStderr: true }) }
}

/** @param found the columns of a session, in the order of the statements, with one for each part at the end */
export function toRow(found: unknown, parts: SessionParts): SessionRow {
  type Optional = number | null
  type Columns = [
    number,
    string,
    SessionRow['status'],
    number,
    Optional,
    Optional,
    number,
    number,
    Optional,
    string | null,
    string | null,
    string | null,
    string,
    ...(string | null)[],
  ]
  const [key, id, status, startedAt, endedAt, exitCode, truncatedBytes, ...rest] = found as Columns
  const [redactedBytes, outputBytes, guardrails, masking, cause, request, ...joined] = rest
  return {
    key,
    id,
    status,
    startedAt,
    endedAt,
    exitCode,
    truncatedBytes,
    redactedBytes,
    outputBytes,
    guardrails,
    masking,
    cause,
    request,
    ...factsOf(joined, parts),
  }
}

function factsOf(
  joined: readonly (string | null)[],
  parts: SessionParts,
): Pick<SessionRow, 'facts' | 'waits' | 'ranAt'> {
  const known = Object.entries<SessionPart<unknown>>(parts.facts).flatMap(([name, part], at) => {
    const text = joined[at] ?? null
    return text === null ? [] : [{ name, ...part.read(text) }]
  })
  return {
    facts: Object.fromEntries(known.map(({ name, fact }) => [name, fact])),
    waits: known.find(({ waits }) => waits !== undefined)?.waits,
    ranAt: known.find(({ ranAt }) => ranAt !== undefined)?.ranAt,
  }
}

/** What a session takes up when it begins, in bytes. */
export function insertionCost({ request }: NewRow, input: readonly Buffer[]): number {
  return SESSION_COST_BYTES + Buffer.byteLength(request) + costOf(input.map((bytes) => ({ bytes })))
}
