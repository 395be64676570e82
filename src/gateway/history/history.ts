import type { Events, SessionRow } from './database.ts'
import { HistoryDatabase, KINDS } from './database.ts'
import { chunksOf } from './recording.ts'
import type {
  EventKind,
  NewSession,
  SessionEnd,
  SessionEvent,
  SessionQuery,
  SessionSummary,
} from './session.ts'
import { HistoryError } from './session.ts'
import { Writer, type WriterOptions } from './writer.ts'

/** What has no column of its own. */
type Request = Omit<NewSession, 'id' | 'script' | 'startedAt'>

export interface HistoryOptions extends Partial<WriterOptions> {
  /** The file is not allowed to grow beyond it. Unset: the disk is the limit. */
  readonly maxBytes?: number
}

const LOST_TEXT = 'gateway stopped while the session was running'
/** "No exit code could be had", protocol.md 4.5: the row of a session whose agent is gone. */
const LOST_EXIT_CODE = 254

const SESSION_ID = /^[\x21-\x7e]{1,200}$/

/** Sessions and their output in one SQLite file that belongs to this process alone. All calls are synchronous. */
export class History {
  readonly #database: HistoryDatabase
  readonly #writer: Writer

  private constructor(database: HistoryDatabase, options: HistoryOptions) {
    this.#database = database
    const { onError = () => undefined, flushAfterMs = 1000 } = options
    this.#writer = new Writer(database, { onError, flushAfterMs })
  }

  /**
   * Opens or creates the file (0600, its folder 0700). Sessions that were still open belong to a gateway that
   * is gone: they end here, with code 254 and a text. Throws a HistoryError, also when another gateway has it.
   */
  static open(path: string, options: HistoryOptions = {}): History {
    const database = new HistoryDatabase(path, options.maxBytes)
    try {
      for (const row of database.openSessions()) markLost(database, row)
    } catch (error) {
      database.close()
      throw error
    }
    return new History(database, options)
  }

  /** Records the session as open. Throws a HistoryError, also for an id that exists. */
  begin(session: NewSession): void {
    const { id, script, startedAt, ...request } = session
    if (!SESSION_ID.test(id)) throw new HistoryError('session history: the session id is not printable ASCII')
    const row = { id, startedAt: startedAt.getTime(), request: toJson(request) }
    this.#database.insert({ ...request, ...row }, chunksOf(script))
    this.#writer.begin(id)
  }

  /**
   * Records a piece of the stream, soon: within a second, or when 256 KiB have come together. Never throws; a
   * write that fails is reported by `finish`. Ignored for a session that is not open, since packets may come
   * after the close (protocol.md 3.1).
   */
  append(sessionId: string, kind: EventKind, bytes: Buffer, secondsFromStart: number): void {
    this.#writer.append(sessionId, kind, bytes, secondsFromStart)
  }

  /**
   * Ends the session. Throws a HistoryError when the end could not be written yet, and when some of the output is
   * lost. The end itself is kept in the first case and written later; from here on it counts.
   */
  finish(sessionId: string, end: SessionEnd): void {
    this.#writer.finish(sessionId, end)
  }

  session(id: string): SessionSummary | undefined {
    const row = this.#row(id)
    return row && this.#summary(row)
  }

  /** What the session was begun with, a piece at a time. Throws as `events` does. */
  *script(id: string): Generator<Buffer, void> {
    const row = this.#row(id)
    if (row === undefined) return
    yield* this.#database.input(row.key)
    this.#checkThere(id)
  }

  /**
   * One page of the sessions that fit, newest first, and how many fit on all pages. Labels and metadata are left out
   * of those where they are longer than 64 KiB.
   */
  list(query: SessionQuery): { sessions: SessionSummary[]; total: number } {
    const { rows, total } = this.#database.find(query)
    return { sessions: rows.map((row) => this.#summary(row)), total }
  }

  /**
   * The `o` and `e` events joined in their order, at most `maxBytes` of them. `truncated` when that is not all
   * the session wrote: cut here, by the agent's cap, or because it could not be recorded. Empty for an
   * unknown session.
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
   * Events in their order, read a page at a time: input and output, or output alone, or with the sizes of the
   * terminal. Events above 64 KiB come as several. Throws a HistoryError when the session is deleted meanwhile: its
   * beginning must not be taken for the whole.
   */
  *events(id: string, which: Events = 'stream'): Generator<SessionEvent> {
    const row = this.#flushedRow(id)
    if (row === undefined) return
    yield* this.#all(row, which)
    this.#checkThere(id)
  }

  /** The output alone, a piece at a time. Throws as `events` does. */
  *outputPieces(id: string): Generator<Buffer, void> {
    for (const { bytes } of this.events(id, 'output')) yield bytes
  }

  /** Deletes sessions that ended before the time and shrinks the file. Returns how many they were. */
  purge(olderThan: Date): number {
    return this.#database.purge(olderThan.getTime())
  }

  /** Writes what is pending and gives the file back. Sessions still open are lost ones for the next `open`. */
  close(): void {
    this.#writer.close()
    this.#database.close()
  }

  #checkThere(id: string): void {
    if (this.#row(id) === undefined)
      throw new HistoryError(`session ${id} was removed from the history while it was read`)
  }

  #row(id: string): SessionRow | undefined {
    return SESSION_ID.test(id) ? this.#database.row(id) : undefined
  }

  #flushedRow(id: string): SessionRow | undefined {
    this.#writer.flush(id)
    return this.#row(id)
  }

  /** What cannot be written while another program holds the file is still read, from memory. */
  *#all(row: SessionRow, which: Events): Generator<SessionEvent> {
    yield* this.#database.events(row.key, which)
    yield* this.#pending(row.id, which)
  }

  #pending(id: string, which: Events): readonly SessionEvent[] {
    const pending = this.#writer.recording(id)?.pending ?? []
    return pending.filter(({ kind }) => KINDS[which].includes(kind))
  }

  #outputBytes(row: SessionRow): number {
    const written = row.outputBytes ?? this.#database.outputLength(row.key)
    return written + lengthOf(this.#pending(row.id, 'output'))
  }

  /** Of a session whose end is not written the row does not know it all. */
  #missing(row: SessionRow): number {
    const recording = this.#writer.recording(row.id)
    return row.truncatedBytes + (recording?.dropped ?? 0) + (recording?.end?.truncatedBytes ?? 0)
  }

  #summary(row: SessionRow): SessionSummary {
    return {
      // Written by `begin`, from the same type, under the same schema version.
      ...(JSON.parse(row.request) as Request),
      id: row.id,
      startedAt: new Date(row.startedAt),
      ...endOf(row, this.#writer.recording(row.id)?.end),
      truncatedBytes: this.#missing(row),
      redactedBytes: this.#writer.recording(row.id)?.end?.redactedBytes ?? row.redactedBytes,
      outputBytes: this.#outputBytes(row),
    }
  }
}

/** `pending`: the end, while it is not in the row yet. */
function endOf(
  row: SessionRow,
  pending: SessionEnd | undefined,
): Pick<SessionSummary, 'status' | 'exitCode' | 'endedAt'> {
  if (pending !== undefined) return { status: 'done', exitCode: pending.exitCode, endedAt: pending.endedAt }
  const exitCode = row.exitCode ?? undefined
  return { status: row.status, exitCode, ...(row.endedAt !== null && { endedAt: new Date(row.endedAt) }) }
}

function lengthOf(events: readonly SessionEvent[]): number {
  return events.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

/** Nobody knows when it ended; its last event is the last time it was seen alive. */
function markLost(database: HistoryDatabase, row: SessionRow): void {
  const seconds = database.lastSecond(row.key)
  const endedAt = row.startedAt + Math.round(seconds * 1000)
  const text = { kind: 'e', seconds, bytes: Buffer.from(LOST_TEXT) } as const
  const { truncatedBytes, redactedBytes } = row
  database.finish(row.id, { endedAt, exitCode: LOST_EXIT_CODE, truncatedBytes, redactedBytes }, [text])
}

function toJson(request: Request): string {
  try {
    return JSON.stringify(request)
  } catch (error) {
    throw new HistoryError('session history: the metadata of the session cannot be written as JSON', {
      cause: error,
    })
  }
}
