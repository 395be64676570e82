import { sumOfCounts } from '../../basics/text/units.ts'
import type { HistoryDatabase } from './database.ts'
import { SessionFollower, type EventPlace, type Progression } from './follower.ts'
import { requestOf, type SessionRow } from './rows.ts'
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

/** Reads sessions from the file, and unwritten parts from the writer's memory. */
export class HistoryReader {
  readonly #database: () => HistoryDatabase
  readonly #writer: Writer

  constructor(database: () => HistoryDatabase, writer: Writer) {
    this.#database = database
    this.#writer = writer
  }

  session(id: string): SessionSummary | undefined {
    const row = this.#row(id)
    return row && this.#summary(row)
  }

  /** Yields the input piece by piece. Throws as `events` does. */
  *script(id: string): Generator<Buffer, void> {
    const row = this.#row(id)
    if (row === undefined) return
    yield* this.#database().input(row.key)
    this.#checkThere(id)
  }

  /** Labels and metadata over 64 KiB are left out. */
  list(query: SessionQuery): HistoryPage {
    const { rows, ...page } = this.#database().find(query)
    return { ...page, sessions: rows.map((row) => this.#summary(row)) }
  }

  /** Reads at most `most` sessions. Ignores the query's page and parameter. */
  outcomes(query: SpanQuery, most: number): OutcomeCounts {
    return this.#database().outcomes(query, most)
  }

  /**
   * Yields all matching sessions recorded by now, in the order in which recording began, each in its state
   * when it is read. Yields small batches, so that other work can run between them. Ignores the query's page
   * and count.
   * @param behind place of the last session of an earlier walk; 0 for all
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
   * Bytes of the `o` and `e` events, at most `maxBytes`. `truncated`: output is missing, because it was cut
   * here or by the agent's limit, or could not be recorded. Empty for an unknown session.
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
   * Reads page by page. Events above 64 KiB come in several pieces. Throws a HistoryError when the session is
   * removed meanwhile, so that no caller mistakes a part for the whole.
   */
  *events(id: string, which: Events = 'stream'): Generator<SessionEvent> {
    const row = this.#flushedRow(id)
    if (row === undefined) return
    yield* this.#all(row, which)
    this.#checkThere(id)
  }

  /**
   * Follows a session from its beginning (0), from a place of an earlier follower, or from now on; also an
   * ended session. Undefined when there is no such session, or no event at that place. The caller has to
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

  /** Throws as `events` does. */
  *outputPieces(id: string): Generator<Buffer, void> {
    for (const { bytes } of this.events(id, 'output')) yield bytes
  }

  #progression(id: string): Progression | undefined {
    const row = this.#row(id)
    if (row === undefined) return undefined
    const recording = this.#writer.recording(id)
    const hasEnded = recording?.end !== undefined && recording.pending.length === 0
    // An open session without a recording: its end could not be written and was given up.
    const isOver = row.status === 'done' || recording === undefined || hasEnded
    return { isOver, missingBytes: this.#missing(row) }
  }

  #checkThere(id: string): void {
    if (this.#row(id) === undefined)
      throw new HistoryError(`session ${id} was removed from the history while it was read`)
  }

  #row(id: string): SessionRow | undefined {
    return isSessionId(id) ? this.#database().row(id) : undefined
  }

  #flushedRow(id: string): SessionRow | undefined {
    this.#writer.flush(id)
    return this.#row(id)
  }

  /** Unwritten events come from memory, for example while another program has locked the file. */
  *#all(row: SessionRow, which: Events): Generator<SessionEvent> {
    yield* this.#database().events(row.key, which)
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

  /** The row has the dropped bytes only after the end is written. */
  #missing(row: SessionRow): number {
    const recording = this.#writer.recording(row.id)
    return sumOfCounts(row.truncatedBytes, recording?.dropped ?? 0, recording?.end?.truncatedBytes ?? 0)
  }

  #summary(row: SessionRow): SessionSummary {
    return {
      ...requestOf(row),
      id: row.id,
      startedAt: new Date(row.startedAt),
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

/** @param pending the session's end while the row does not have it */
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
