import type { SessionKind } from '../../contract/session-state.ts'
import type { Tables } from '../store/room.ts'
import type { NewSession, SessionAsking, SessionEvent, SessionFacts, SessionQuery } from './session.ts'
import { HistoryError } from '../store/errors.ts'

/**
 * Each event costs this many bytes in addition to its content. So the limits also hold for a flood of
 * one-byte events.
 */
export const EVENT_COST_BYTES = 128
/** Cost of a session's row and index entries, without the request. */
export const SESSION_COST_BYTES = 1024

export function costOf(events: readonly Pick<SessionEvent, 'bytes'>[]): number {
  return events.reduce((sum, { bytes }) => sum + bytes.length + EVENT_COST_BYTES, 0)
}

/** `request` is JSON text. Times are in ms since 1970. */
export interface SessionRow {
  readonly key: number
  readonly id: string
  readonly status: 'open' | 'done'
  /** When the session was requested. */
  readonly startedAt: number
  /** When the command began; null if it has not begun, and in rows of older versions. */
  readonly beganAt: number | null
  readonly endedAt: number | null
  readonly exitCode: number | null
  readonly truncatedBytes: number
  readonly redactedBytes: number
  /** Null while the session is open. */
  readonly outputBytes: number | null
  readonly guardrails: string | null
  readonly masking: string | null
  /** JSON of an EndCause. */
  readonly cause: string | null
  readonly request: string
  readonly facts: SessionFacts
  /** What an open session waits for; undefined when the session runs. */
  readonly waits: Waiting | undefined
  /** Time at which the session no longer waited for its approval; undefined if it needed none. */
  readonly ranAt: number | undefined
}

/** A new row. The columns for searches are copies of values in `request`. */
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
    | 'reason'
    | 'isList'
  >

/** Only the origin decides whether a session is a runbook, because callers choose the labels. */
export function kindOf({ origin, verb, isList }: Pick<NewRow, 'origin' | 'verb' | 'isList'>): SessionKind {
  if (isList === true) return 'list'
  if (origin === 'client-api-runbooks') return 'runbook'
  return verb === 'connect' ? 'terminal' : 'script'
}

/**
 * What a session waits for. `people`: it waits for an approval. `ready`: it is approved, and waits for its
 * run.
 */
export type Waiting = 'people' | 'ready'

/** Longer requests and reviews are exported in their short form. */
export const EXPORTED_BYTES = 64 * 1024

/** A fact about sessions that another room stores. */
export interface SessionPart<Fact> {
  /**
   * SQL of one column for a row of `sessions`. Its value is JSON, or null if the other room has no fact about
   * the session.
   */
  readonly column: string
  /** The same for a single session, if the column lacks long texts. */
  readonly whole?: string
  /** The same for an export: whole up to 64 KiB. */
  readonly exported?: string
  readonly read: (json: string) => KnownFact<Fact>
}

interface KnownFact<Fact> {
  readonly fact: Fact
  /** Set for an open session that waits. Such a session survives a restart of the gateway. */
  readonly waits?: Waiting | undefined
  /** Time in ms since 1970 at which the session no longer waited for its approval. */
  readonly ranAt?: number | undefined
}

/** Filters that need tables of other rooms. */
type JoinedFilter =
  | keyof Pick<SessionQuery, 'viewer' | 'reviewStatus' | 'reviewGroups' | 'issueKeys'>
  /**
   * Like `viewer`, but the viewer also sees sessions of other users, as the settings of connections allow.
   */
  | 'teamViewer'
  /** SQL of an open session's outcome: `waiting`, `approved` or `running`. */
  | 'openOutcome'

export interface SessionParts {
  readonly facts: {
    readonly [Name in keyof SessionFacts]-?: SessionPart<NonNullable<SessionFacts[Name]>>
  }
  /** Each value is the SQL of a condition, or of the text that is compared with a pattern. */
  readonly filters: Readonly<Record<JoinedFilter, string>>
  /** SQL condition of ended sessions that must not be removed yet. */
  readonly keeps: string
  /** Called in the transaction that inserts a session. */
  readonly begun: (tables: Tables, row: NewRow, asking: SessionAsking) => void
}

/** The part of a session that the column `request` has as JSON. */
type StoredRequest = Omit<NewSession, 'id' | 'script' | 'startedAt'>

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

/** Needs no validation: `requestText` wrote the JSON from the same type, under the same schema version. */
export function requestOf(row: SessionRow): StoredRequest {
  return JSON.parse(row.request) as StoredRequest
}

/** The columns of an event, in the order of the SQL statements. */
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

/** @param found columns in the order of the SQL statements, then one column for each part */
export function toRow(found: unknown, parts: SessionParts): SessionRow {
  type Optional = number | null
  type Columns = [
    number,
    string,
    SessionRow['status'],
    number,
    Optional,
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
  const [key, id, status, startedAt, beganAt, endedAt, exitCode, ...rest] = found as Columns
  const [truncatedBytes, redactedBytes, outputBytes, guardrails, masking, cause, request, ...joined] = rest
  return {
    key,
    id,
    status,
    startedAt,
    beganAt,
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

/** Bytes that a new session takes up. */
export function insertionCost({ request }: NewRow, input: readonly Buffer[]): number {
  return SESSION_COST_BYTES + Buffer.byteLength(request) + costOf(input.map((bytes) => ({ bytes })))
}

/**
 * Returns the time from which the seconds of the session's events count: from the beginning of the command. If
 * this beginning is unknown, they count from the end of the wait for approval.
 * @param beganAt the beginning, if the row does not have it yet
 */
export function clockOf(row: SessionRow, beganAt: number | null = row.beganAt): number {
  return beganAt ?? row.ranAt ?? row.startedAt
}
