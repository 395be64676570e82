import type { HistoryDatabase } from './database.ts'
import { Recording } from './recording.ts'
import type { EventKind, SessionEnd } from './session.ts'
import { HistoryError } from './session.ts'
import { isLocked } from './sqlite.ts'

export interface WriterOptions {
  /** Hears of writes that failed, once for each session and each lock; `finish` reports losses as well. */
  readonly onError: (error: HistoryError) => void
  /** Longest time in ms an event stays in memory only, unless it cannot be written; 1000 for History. */
  readonly flushAfterMs: number
}

/** Unwritten events of one session, and of all sessions together. */
const SESSION_PENDING_BYTES = 256 * 1024
const TOTAL_PENDING_BYTES = 4 * 1024 * 1024
/** Ended sessions whose end could not be written: those that ran when the disk became full, no new one begins. */
const MAX_PENDING_ENDS = 1000

/**
 * Holds what is not in the file yet. A lock of another program makes it wait: the timer tries again, and only what
 * the memory has no room for is lost. Any other failure loses the session's events at once, but never its end.
 */
export class Writer {
  readonly #database: HistoryDatabase
  readonly #options: WriterOptions
  readonly #recordings = new Map<string, Recording>()
  #pendingBytes = 0
  #timer: NodeJS.Timeout | undefined
  /** The last attempt met a lock. Each costs the whole gateway a moment, so the next one is the timer's. */
  #lock: HistoryError | undefined

  constructor(database: HistoryDatabase, options: WriterOptions) {
    this.#database = database
    this.#options = options
  }

  /** Of a session that has just been inserted: the file is not locked any more. */
  begin(id: string): void {
    this.#lock = undefined
    this.#recordings.set(id, new Recording())
  }

  /** The unwritten part of a session: one that runs, or one whose end is not written. */
  recording(id: string): Recording | undefined {
    return this.#recordings.get(id)
  }

  append(id: string, kind: EventKind, bytes: Buffer, seconds: number): void {
    const recording = this.#recordings.get(id)
    if (recording === undefined || recording.end !== undefined) return
    this.#change(recording, () => recording.add(kind, bytes, seconds))
    if (recording.cost >= SESSION_PENDING_BYTES) this.flush(id)
    if (this.#pendingBytes > TOTAL_PENDING_BYTES && this.#lock === undefined) this.#flushAll()
    if (this.#pendingBytes > TOTAL_PENDING_BYTES && this.#lock !== undefined) this.#loseLargest(this.#lock)
    if (this.#pendingBytes > 0) this.#startTimer()
  }

  /** Throws a HistoryError when something is lost, or when anything but a lock keeps the end from being written. */
  finish(id: string, end: SessionEnd): void {
    const recording = this.#recordings.get(id)
    // Not begun or over already: the error is the database's.
    if (recording === undefined) return this.#database.finish(id, toRow(end, 0), [])
    if (recording.end !== undefined) throw new HistoryError(`session ${id} has ended already`)
    recording.end = end
    this.flush(id)
    if (this.#recordings.has(id)) this.#keepEnd()
    if (recording.failure !== undefined) throw this.#incomplete(id, recording, recording.failure)
  }

  /** Writes what is pending of one session, its end included, unless the file was locked a moment ago. */
  flush(id: string): void {
    const recording = this.#recordings.get(id)
    if (recording !== undefined && this.#lock === undefined) this.#write(id, recording)
  }

  /** The last attempt for everything; what cannot be written now is lost. */
  close(): void {
    if (this.#recordings.size > 0) this.#database.bePatient()
    this.#flushAll()
    clearTimeout(this.#timer)
    this.#recordings.clear()
    this.#pendingBytes = 0
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => this.#flushAll(), this.#options.flushAfterMs).unref()
  }

  #flushAll(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writeAll()
    if (this.#pendingBytes > 0 || this.#unwrittenEnds().length > 0) this.#startTimer()
  }

  #writeAll(): void {
    for (const [id, recording] of this.#recordings) {
      if (!this.#write(id, recording)) return
    }
  }

  /** False when the file is locked: then nothing has changed, and nothing else can be written either. */
  #write(id: string, recording: Recording): boolean {
    const error = this.#attempt(id, recording)
    if (error === undefined) return true
    if (isLocked(error)) {
      if (this.#lock === undefined) this.#options.onError(error)
      this.#lock = error
      return false
    }
    const hadEvents = recording.pending.length > 0
    this.#lose(recording, error)
    // The output found no room, the few bytes of the end may.
    return hadEvents ? this.#write(id, recording) : true
  }

  #attempt(id: string, recording: Recording): HistoryError | undefined {
    const { end, pending } = recording
    if (end === undefined && pending.length === 0) return undefined
    try {
      if (end === undefined) this.#database.append(id, pending)
      else this.#database.finish(id, toRow(end, recording.dropped), pending)
    } catch (error) {
      if (error instanceof HistoryError) return error
      throw error
    }
    this.#lock = undefined
    this.#change(recording, () => recording.clear())
    if (end !== undefined) this.#recordings.delete(id)
    return undefined
  }

  #lose(recording: Recording, error: HistoryError): void {
    if (recording.failure === undefined) this.#options.onError(error)
    this.#change(recording, () => recording.fail(error))
  }

  /** The one session that fills the memory, not whichever writes next. */
  #loseLargest(lock: HistoryError): void {
    const [largest] = [...this.#recordings.values()].toSorted((a, b) => b.cost - a.cost)
    if (largest !== undefined) this.#lose(largest, lock)
  }

  /** Of those ends that wait for room in the file the oldest makes way for one too many. */
  #keepEnd(): void {
    const waiting = this.#unwrittenEnds()
    const [oldest] = waiting
    if (oldest !== undefined && waiting.length > MAX_PENDING_ENDS) this.#forget(oldest)
    this.#startTimer()
  }

  #forget([id, recording]: [string, Recording]): void {
    this.#change(recording, () => recording.clear())
    this.#recordings.delete(id)
    this.#options.onError(new HistoryError(`session history: the end of session ${id} was never written`))
  }

  #unwrittenEnds(): [string, Recording][] {
    return [...this.#recordings].filter(([, { end }]) => end !== undefined)
  }

  #change(recording: Recording, work: () => void): void {
    const before = recording.cost
    work()
    this.#pendingBytes += recording.cost - before
  }

  #incomplete(id: string, { dropped }: Recording, cause: HistoryError): HistoryError {
    const later = this.#recordings.has(id) ? ', its end is not either and will be written later' : ''
    const text = `session ${id} has ended, ${dropped} bytes of its output are not in the history${later}`
    return new HistoryError(`${text}: ${cause.message}`, { cause })
  }
}

/** `dropped`: bytes of the output that are lost here. */
function toRow(end: SessionEnd, dropped: number) {
  return {
    endedAt: end.endedAt.getTime(),
    exitCode: end.exitCode ?? null,
    truncatedBytes: end.truncatedBytes + dropped,
    redactedBytes: end.redactedBytes ?? 0,
  }
}
