import { sumOfCounts } from '../../basics/text/units.ts'
import type { HistoryDatabase } from './database.ts'
import { SessionFollower, type EventPlace, type Progression } from './follower.ts'
import { clockOf, requestOf, type SessionRow } from './rows.ts'
import {
  type EndCause,
  type RecordedEnd,
  type SessionEvent,
  type HistoryPage,
  type PlacedSession,
  type SessionQuery,
  type SessionSummary,
  isSessionId,
} from './session.ts'
import type { OutcomeCounts, SpanQuery } from './search.ts'
import { KINDS, type Events } from './statements.ts'
import { HistoryError } from '../store/errors.ts'
import type { Writer } from './writer.ts'

/** Number of sessions that an export in the order of the list reads at once. */
const LISTED_STEP = 50

/** A part of a session's output. */
export interface OutputPart {
  readonly bytes: Buffer
  /** Number of the first byte. */
  readonly start: number
  /** Bytes of the whole recorded output so far. */
  readonly total: number
  /** Bytes of output that the record will never have. */
  readonly missing: number
}

/** Reads sessions from the file. Reads output that is not in the file yet from the writer's memory. */
export class HistoryReader {
  readonly #database: () => HistoryDatabase
  readonly #writer: Writer

  constructor(database: () => HistoryDatabase, writer: Writer) {
    this.#database = database
    this.#writer = writer
  }

  session(id: string): SessionSummary | undefined {
    const row = this.#row(id, 'whole')
    return row && this.#summary(row)
  }

  /** Yields the input in pieces. Throws the same errors as `events`. */
  *script(id: string): Generator<Buffer, void> {
    const row = this.#row(id)
    if (row === undefined) return
    yield* this.#database().input(row.key)
    this.#checkThere(id)
  }

  /** Lists one page of sessions, without the long texts of requests. */
  list(query: SessionQuery): HistoryPage {
    const { rows, groups, ...page } = this.#database().find(query)
    const ofRows = rows.flatMap(({ key, id }) => {
      const group = groups?.get(key)
      return group === undefined ? [] : [[id, group] as const]
    })
    return { ...page, sessions: rows.map((row) => this.#summary(row)), groups: new Map(ofRows) }
  }

  /**
   * Yields the sessions of a list in its order, in small batches. Yields at most 10,000 sessions, because a
   * list has no more.
   */
  *listed(query: SessionQuery): Generator<SessionSummary[], void> {
    const keys = this.#database().listedKeys(query)
    for (let at = 0; at < keys.length; at += LISTED_STEP) {
      const rows = this.#database().ofKeys(keys.slice(at, at + LISTED_STEP))
      yield rows.map((row) => this.#summary(row))
    }
  }

  /**
   * Counts sessions by outcome. Reads at most `most` sessions. Ignores the page, the order and the
   * texts of the query.
   */
  outcomes(query: SpanQuery, most: number): OutcomeCounts {
    return this.#database().outcomes(query, most)
  }

  /**
   * Yields all matching sessions that exist now, in the order in which their recording began. Each session
   * has its state at the time when it is read. Yields small batches, so that other work can run between them.
   * Ignores the page and the count of the query.
   * @param behind place of the last session of an earlier walk; 0 yields all sessions
   */
  *walk(query: SessionQuery, behind: number): Generator<PlacedSession[], void> {
    const newest = this.#database().lastKey
    for (let place = behind; ;) {
      const step = this.#database().walk(query, place, newest)
      if (step === undefined) return
      yield step.rows.map((row) => ({ place: row.key, session: this.#summary(row) }))
      place = step.until
    }
  }

  /**
   * Returns the bytes of the `o` and `e` events, at most `maxBytes`. `truncated` is true if output is
   * missing: it exceeds `maxBytes` or the agent's limit, or it could not be recorded. The bytes are empty for
   * an unknown session.
   */
  output(id: string, maxBytes: number): { bytes: Buffer; truncated: boolean } {
    const row = this.#flushedRow(id)
    if (row === undefined) return { bytes: Buffer.alloc(0), truncated: false }
    const recorded = this.#outputBytes(row)
    const bytes = Buffer.allocUnsafe(Math.min(recorded, maxBytes))
    let filled = 0
    for (const event of this.#all(row, 'output')) {
      filled += event.bytes.copy(bytes, filled)
      if (filled >= bytes.length) break
    }
    return { bytes: bytes.subarray(0, filled), truncated: recorded > maxBytes || this.#missing(row) > 0 }
  }

  /**
   * Returns a part of the bytes of the `o` and `e` events, without reading the others. Returns undefined for an
   * unknown session.
   * @param from number of the first byte; a negative number counts from the end
   */
  outputPart(id: string, from: number, maxBytes: number): OutputPart | undefined {
    const row = this.#flushedRow(id)
    if (row === undefined) return undefined
    const total = this.#outputBytes(row)
    const start = Math.min(total, from < 0 ? Math.max(0, total + from) : from)
    const bytes = Buffer.allocUnsafe(Math.min(maxBytes, total - start))
    const { after, before } = this.#database().outputPlace(row.key, start)
    let [at, filled] = [before, 0]
    for (const event of this.#all(row, 'output', after)) {
      filled += event.bytes.copy(bytes, filled, Math.min(event.bytes.length, Math.max(0, start - at)))
      at += event.bytes.length
      if (filled >= bytes.length) break
    }
    return { bytes: bytes.subarray(0, filled), start, total, missing: this.#missing(row) }
  }

  /** Returns the last piece of the stderr of an ended session, at most 64 KiB; empty if it ended otherwise. */
  errorTail(id: string): Buffer {
    const row = this.#flushedRow(id)
    const pending = this.#pending(id, 'output').findLast(({ isStderr }) => isStderr === true)
    if (row === undefined || pending !== undefined) return pending?.bytes ?? Buffer.alloc(0)
    return this.#database().errorTail(row.key)
  }

  /**
   * Reads page by page. Yields events above 64 KiB in several pieces. Throws a HistoryError if the session is
   * removed during the read, because the caller would take a part for the whole.
   */
  *events(id: string, which: Events = 'stream'): Generator<SessionEvent> {
    const row = this.#flushedRow(id)
    if (row === undefined) return
    yield* this.#all(row, which)
    this.#checkThere(id)
  }

  /**
   * Follows a running or ended session: from its beginning (0), from the place of an earlier follower, or
   * from now on. Returns undefined if there is no such session, or no event at the place. The caller has to
   * dispose the follower.
   */
  follow(id: string, from: EventPlace | 'now'): SessionFollower | undefined {
    const row = this.#flushedRow(id)
    if (row === undefined) return undefined
    const { key } = row
    const place = from === 'now' ? this.#database().lastEvent(key) : from
    if (place !== 0 && !this.#database().hasEvent(key, place)) return undefined
    return new SessionFollower(id, place, this.#writer.followers, {
      read: (after) => this.#database().step(key, after),
      progression: () => this.#progression(id),
    })
  }

  /** Throws the same errors as `events`. */
  *outputPieces(id: string): Generator<Buffer, void> {
    for (const { bytes } of this.events(id, 'output')) yield bytes
  }

  #progression(id: string): Progression | undefined {
    const row = this.#row(id)
    if (row === undefined) return undefined
    const recording = this.#writer.recording(id)
    const hasEnded = recording?.end !== undefined && recording.pending.length === 0
    // An open session without a recording has ended: its end could not be written, and was given up.
    const isOver = row.status === 'done' || recording === undefined || hasEnded
    return { isOver, missingBytes: this.#missing(row) }
  }

  #checkThere(id: string): void {
    if (this.#row(id) === undefined)
      throw new HistoryError(`session ${id} was removed from the history while it was read`)
  }

  #row(id: string, form?: 'whole'): SessionRow | undefined {
    return isSessionId(id) ? this.#database().row(id, form) : undefined
  }

  #flushedRow(id: string): SessionRow | undefined {
    this.#writer.flush(id)
    return this.#row(id)
  }

  /**
   * Reads the written events from the file, and the others from memory. Events stay in memory, for example,
   * while another program locks the file.
   */
  *#all(row: SessionRow, which: Events, after?: number): Generator<SessionEvent> {
    yield* this.#database().events(row.key, which, after)
    yield* this.#pending(row.id, which)
  }

  #pending(id: string, which: Events): readonly SessionEvent[] {
    const pending = this.#writer.recording(id)?.unwritten ?? []
    return pending.filter(({ kind }) => KINDS[which].includes(kind))
  }

  #outputBytes(row: SessionRow): number {
    const written = row.outputBytes ?? this.#database().outputLength(row.key)
    return written + lengthOf(this.#pending(row.id, 'output'))
  }

  /**
   * Counts the dropped bytes of the recording, because the row gets this number only when the end is written.
   */
  #missing(row: SessionRow): number {
    const recording = this.#writer.recording(row.id)
    return sumOfCounts(row.truncatedBytes, recording?.dropped ?? 0, recording?.end?.truncatedBytes ?? 0)
  }

  #summary(row: SessionRow): SessionSummary {
    return {
      ...requestOf(row),
      id: row.id,
      startedAt: new Date(row.startedAt),
      ...beginningOf(row, this.#writer.recording(row.id)?.beganAt),
      ...stateOf(row, this.#writer.recording(row.id)?.end),
      truncatedBytes: this.#missing(row),
      redactedBytes: this.#writer.recording(row.id)?.end?.redactedBytes ?? row.redactedBytes,
      ...row.facts,
      ...policiesOf(row, this.#writer.recording(row.id)?.end),
      ...causeOf(row, this.#writer.recording(row.id)?.end),
      outputBytes: this.#outputBytes(row),
    }
  }
}

/** @param pending beginning of the command, if the row does not have it yet */
function beginningOf(
  row: SessionRow,
  pending: number | undefined,
): Pick<SessionSummary, 'beganAt' | 'clockAt'> {
  const beganAt = pending ?? row.beganAt
  const clockAt = new Date(clockOf(row, beganAt))
  return { clockAt, ...(beganAt !== null && { beganAt: new Date(beganAt) }) }
}

/** @param pending end of the session, if the row does not have it yet */
function stateOf(
  row: SessionRow,
  pending: RecordedEnd | undefined,
): Pick<SessionSummary, 'status' | 'exitCode' | 'endedAt'> {
  if (pending !== undefined) return { status: 'done', exitCode: pending.exitCode, endedAt: pending.endedAt }
  return {
    status: row.status === 'open' && row.waits === 'ready' ? 'ready' : row.status,
    exitCode: row.exitCode ?? undefined,
    ...(row.endedAt !== null && { endedAt: new Date(row.endedAt) }),
  }
}

function policiesOf(
  row: SessionRow,
  pending: RecordedEnd | undefined,
): Pick<SessionSummary, 'guardrails' | 'masking'> {
  const guardrails = pending?.guardrails ?? row.guardrails
  const masking = pending?.masking ?? row.masking
  return { ...(guardrails !== null && { guardrails }), ...(masking !== null && { masking }) }
}

function causeOf(row: SessionRow, pending: RecordedEnd | undefined): Pick<SessionSummary, 'cause'> {
  const cause = pending?.cause ?? (row.cause === null ? undefined : (JSON.parse(row.cause) as EndCause))
  return cause === undefined ? {} : { cause }
}

function lengthOf(events: readonly SessionEvent[]): number {
  return events.reduce((sum, { bytes }) => sum + bytes.length, 0)
}
