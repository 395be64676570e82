import type { NewSession, SessionEvent } from './session.ts'
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
  /** JSON of its review, if it has one. */
  readonly review: string | null
  /** JSON, as statements.ts puts it together, if there is one. */
  readonly issue: string | null
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

/** @param found the columns of a session, in the order of the statements */
export function toRow(found: unknown): SessionRow {
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
    string | null,
    string | null,
    string,
  ]
  const [key, id, status, startedAt, endedAt, exitCode, truncatedBytes, ...rest] = found as Columns
  const [redactedBytes, outputBytes, guardrails, masking, cause, review, issue, request] = rest
  const numbers = { truncatedBytes, redactedBytes, outputBytes }
  return {
    key,
    id,
    status,
    startedAt,
    endedAt,
    exitCode,
    ...numbers,
    guardrails,
    masking,
    cause,
    review,
    issue,
    request,
  }
}

/** What a session takes up when it begins, in bytes. */
export function insertionCost({ request }: NewRow, input: readonly Buffer[]): number {
  return SESSION_COST_BYTES + Buffer.byteLength(request) + costOf(input.map((bytes) => ({ bytes })))
}
