import type { SessionRow } from './database.ts'
import { HistoryDatabase } from './database.ts'
import { chunksOf, Recording } from './recording.ts'
import type {
  EventKind,
  NewSession,
  SessionEnd,
  SessionEvent,
  SessionRecord,
  SessionSummary,
} from './session.ts'
import { HistoryError } from './session.ts'

/** What has no column of its own. */
type Request = Omit<NewSession, 'id' | 'script' | 'startedAt'>

export interface HistoryOptions {
  /** Hears of writes that failed while nobody waited for them; `finish` reports them as well. */
  readonly onError?: (error: HistoryError) => void
  /** The file is not allowed to grow beyond it. Unset: the disk is the limit. */
  readonly maxBytes?: number
  /** Longest time an event stays in memory only. Default 1000. */
  readonly flushAfterMs?: number
}

/** Unwritten events of one session, and of all sessions together. */
const SESSION_PENDING_BYTES = 256 * 1024
const TOTAL_PENDING_BYTES = 4 * 1024 * 1024

const LOST_TEXT = 'gateway stopped while the session was running'
/** "No exit code could be had", protocol.md section 12: the row of a session whose agent is gone. */
const LOST_EXIT_CODE = 254

const SESSION_ID = /^[\x21-\x7e]{1,200}$/

/** Sessions and their output in one SQLite file that belongs to this process alone. All calls are synchronous. */
export class History {
  readonly #database: HistoryDatabase
  readonly #recordings = new Map<string, Recording>()
  readonly #onError: (error: HistoryError) => void
  readonly #flushAfterMs: number
  #pendingBytes = 0
  #timer: NodeJS.Timeout | undefined

  private constructor(database: HistoryDatabase, options: HistoryOptions) {
    this.#database = database
    this.#onError = options.onError ?? (() => undefined)
    this.#flushAfterMs = options.flushAfterMs ?? 1000
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
    this.#database.insert(row, chunksOf(script))
    this.#recordings.set(id, new Recording())
  }

  /**
   * Records a piece of the stream, soon: within a second, or when 256 KiB have come together. Never throws; a
   * write that fails is reported by `finish`. Ignored for a session that is not open, since packets may come
   * after the close (protocol.md section 12).
   */
  append(sessionId: string, kind: EventKind, bytes: Buffer, secondsFromStart: number): void {
    const recording = this.#recordings.get(sessionId)
    if (recording === undefined) return
    const before = recording.cost
    recording.add(kind, bytes, secondsFromStart)
    this.#pendingBytes += recording.cost - before
    if (recording.cost >= SESSION_PENDING_BYTES) this.#flush(sessionId, recording)
    if (this.#pendingBytes > TOTAL_PENDING_BYTES) this.#flushAll()
    if (this.#pendingBytes > 0) this.#timer ??= this.#startTimer()
  }

  /**
   * Ends the session. Throws a HistoryError when the end could not be written (the session stays open in the
   * history, the call may be repeated), and when the end is there but some of the output is not.
   */
  finish(sessionId: string, end: SessionEnd): void {
    const recording = this.#recordings.get(sessionId) ?? new Recording()
    const last = this.#take(recording)
    try {
      this.#writeEnd(sessionId, end, recording, last)
    } catch (error) {
      if (last.length === 0) throw error
      this.#lose(recording, error, last)
      // The output found no room, the few bytes of the end may.
      this.#writeEnd(sessionId, end, recording, [])
    }
    this.#recordings.delete(sessionId)
    if (recording.failure !== undefined) throw incomplete(sessionId, recording)
  }

  session(id: string): SessionRecord | undefined {
    const row = this.#row(id)
    if (row === undefined) return undefined
    return { ...this.#summary(row), script: this.#database.input(row.key) }
  }

  /** The sessions that began last, newest first, without their input. */
  recent(limit: number): SessionSummary[] {
    return this.#database.newest(limit).map((row) => this.#summary(row))
  }

  /**
   * The `o` and `e` events joined in their order, at most `maxBytes` of them. `truncated` when that is not all
   * the session wrote: cut here, by the agent's cap, or because it could not be recorded. Empty for an
   * unknown session.
   */
  output(id: string, maxBytes: number): { bytes: Buffer; truncated: boolean } {
    const row = this.#flushedRow(id)
    if (row === undefined) return { bytes: Buffer.alloc(0), truncated: false }
    const recorded = this.#database.outputLength(row.key)
    const bytes = Buffer.allocUnsafe(Math.min(recorded, maxBytes))
    let filled = 0
    for (const event of this.#database.events(row.key, 'output')) {
      filled += event.bytes.copy(bytes, filled)
      if (filled >= bytes.length) break
    }
    return { bytes: bytes.subarray(0, filled), truncated: recorded > maxBytes || this.#missing(row) > 0 }
  }

  /** All events in their order, read a page at a time. Events above 64 KiB come as several. */
  *events(id: string): Generator<SessionEvent> {
    const row = this.#flushedRow(id)
    if (row === undefined) return
    yield* this.#database.events(row.key, 'stream')
  }

  /** Deletes sessions that ended before the time and shrinks the file. Returns how many they were. */
  purge(olderThan: Date): number {
    return this.#database.purge(olderThan.getTime())
  }

  /** Writes what is pending and gives the file back. Sessions still open are lost ones for the next `open`. */
  close(): void {
    this.#flushAll()
    this.#recordings.clear()
    this.#database.close()
  }

  #startTimer(): NodeJS.Timeout {
    return setTimeout(() => this.#flushAll(), this.#flushAfterMs).unref()
  }

  #flushAll(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const [id, recording] of this.#recordings) this.#flush(id, recording)
  }

  #flush(id: string, recording: Recording): void {
    const events = this.#take(recording)
    if (events.length === 0) return
    try {
      this.#database.append(id, events)
    } catch (error) {
      this.#lose(recording, error, events)
    }
  }

  #take(recording: Recording): readonly SessionEvent[] {
    this.#pendingBytes -= recording.cost
    return recording.take()
  }

  #lose(recording: Recording, error: unknown, events: readonly SessionEvent[]): void {
    if (!(error instanceof HistoryError)) throw error
    recording.fail(error, events)
    this.#onError(error)
  }

  #writeEnd(id: string, end: SessionEnd, recording: Recording, events: readonly SessionEvent[]): void {
    const endedAt = end.endedAt.getTime()
    const truncatedBytes = end.truncatedBytes + recording.dropped
    this.#database.finish(id, { endedAt, exitCode: end.exitCode ?? null, truncatedBytes }, events)
  }

  #row(id: string): SessionRow | undefined {
    return SESSION_ID.test(id) ? this.#database.row(id) : undefined
  }

  #flushedRow(id: string): SessionRow | undefined {
    const recording = this.#recordings.get(id)
    if (recording !== undefined) this.#flush(id, recording)
    return this.#row(id)
  }

  /** Of a running session the row does not know it yet. */
  #missing(row: SessionRow): number {
    return row.truncatedBytes + (this.#recordings.get(row.id)?.dropped ?? 0)
  }

  #summary(row: SessionRow): SessionSummary {
    return {
      // Written by `begin`, from the same type, under the same schema version.
      ...(JSON.parse(row.request) as Request),
      id: row.id,
      status: row.status,
      exitCode: row.exitCode ?? undefined,
      startedAt: new Date(row.startedAt),
      ...(row.endedAt === null ? {} : { endedAt: new Date(row.endedAt) }),
      truncatedBytes: this.#missing(row),
    }
  }
}

/** Nobody knows when it ended; its last event is the last time it was seen alive. */
function markLost(database: HistoryDatabase, row: SessionRow): void {
  const seconds = database.lastSecond(row.key)
  const endedAt = row.startedAt + Math.round(seconds * 1000)
  const text = { kind: 'e', seconds, bytes: Buffer.from(LOST_TEXT) } as const
  database.finish(row.id, { endedAt, exitCode: LOST_EXIT_CODE, truncatedBytes: row.truncatedBytes }, [text])
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

function incomplete(id: string, recording: Recording): HistoryError {
  const text = `session ${id} has ended, ${recording.dropped} bytes of its output are not in the history`
  return new HistoryError(`${text}: ${recording.failure?.message ?? ''}`, { cause: recording.failure })
}
