import { sumOfCounts } from '../../basics/text/units.ts'
import { refused } from '../refusals/request-refused.ts'
import type { HistoryDatabase } from './database.ts'
import { Followers } from './follower.ts'
import { costOf, type NewRow } from './rows.ts'
import type { Quota } from './disk/quota.ts'
import type { Holder } from './disk/removal.ts'
import { Recording } from './recording.ts'
import { RESERVED_ENDS, type Reserve } from './disk/reserve.ts'
import { type RecordedEnd, type SessionAsking, type SessionEvent } from './session.ts'
import { isLocked, HistoryError, hasNoRoom } from '../store/errors.ts'

export interface WriterOptions {
  /**
   * Called when a write fails: once for each session, and once each time the file stays locked until the next
   * attempt. `finish` also reports lost output.
   */
  readonly onError: (error: HistoryError) => void
  /** Maximum time in ms that an event stays only in memory, if the file can be written. History uses 1000. */
  readonly flushAfterMs: number
}

interface Parts {
  /** Throws a HistoryError if the file is not open. */
  readonly database: () => HistoryDatabase
  readonly reserve: Reserve
  readonly quota: Quota
}

/** Maximum bytes of unwritten events, per session and of all sessions together. */
const SESSION_PENDING_BYTES = 256 * 1024
const TOTAL_PENDING_BYTES = 4 * 1024 * 1024

/**
 * Keeps the events and ends that are not in the file yet. While another program has locked the file, a timer
 * tries again and again, and only events above the limits of memory are lost. After any other failure, the
 * unwritten events of the session are lost at once, and its end stays in the reserve.
 */
export class Writer {
  readonly followers = new Followers((id) => this.flush(id))
  readonly #parts: Parts
  readonly #options: WriterOptions
  readonly #recordings = new Map<string, Recording>()
  #pendingBytes = 0
  #timer: NodeJS.Timeout | undefined
  /**
   * Set if the file was locked at the last attempt. Each attempt blocks the gateway, so only the timer tries
   * again.
   */
  #lock: HistoryError | undefined
  #isLockTold = false
  #trouble: HistoryError | undefined

  constructor(parts: Parts, options: WriterOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Error of the last write, if the disk has caused it. */
  get trouble(): HistoryError | undefined {
    return this.#trouble
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Number of running and waiting sessions. */
  get openSessions(): number {
    return this.#recordings.size - this.#unwrittenEnds().length
  }

  /** @throws HistoryError */
  begin(row: NewRow, input: readonly Buffer[], asking: SessionAsking): void {
    this.#noting(() => {
      const cost = costOf(input.map((bytes) => ({ bytes }))) + Buffer.byteLength(row.request)
      this.checkRoom(row, cost)
      this.#parts.quota.count(row, this.#parts.database().insert(row, input, asking))
    })
    this.#recordings.set(row.id, new Recording(row))
  }

  /** @throws RequestRefused when `history.size` has no space for one more session of this user */
  checkRoom(holder: Holder, cost: number): void {
    const refusal = this.#parts.quota.roomToBegin(holder, cost)
    if (refusal !== undefined) throw refused('too-much-at-once/history', { reason: refusal })
  }

  /** Ends a session that an earlier gateway has left open. */
  adopt(id: string, holder: Holder, end: RecordedEnd, note?: SessionEvent): void {
    const recording = new Recording(holder)
    recording.end = end
    recording.note = note
    this.#recordings.set(id, recording)
    this.flush(id)
    if (this.#recordings.has(id)) this.#startTimer()
  }

  /** Resumes a waiting session of an earlier gateway. */
  resume(id: string, holder: Holder): void {
    this.#recordings.set(id, new Recording(holder))
  }

  /** Returns the unwritten part of a session. Returns undefined after the end is written. */
  recording(id: string): Recording | undefined {
    return this.#recordings.get(id)
  }

  /** Notes the time in ms at which the command began. It is written with the next events or the end. */
  begun(id: string, at: number): void {
    const recording = this.#recordings.get(id)
    if (recording === undefined || recording.end !== undefined) return
    recording.beganAt = at
    this.#startTimer()
    this.followers.expect(id)
  }

  append(id: string, event: SessionEvent): void {
    const recording = this.#recordings.get(id)
    if (recording === undefined || recording.end !== undefined) return
    this.#change(recording, () => recording.add(event))
    if (recording.cost >= SESSION_PENDING_BYTES) this.flush(id)
    if (this.#pendingBytes > TOTAL_PENDING_BYTES && this.#lock === undefined) this.#flushAll()
    const obstacle = this.#lock ?? this.#trouble
    if (this.#pendingBytes > TOTAL_PENDING_BYTES && obstacle !== undefined) this.#loseLargest(obstacle)
    if (this.#pendingBytes > 0) this.#startTimer()
    this.followers.expect(id)
  }

  /** Throws a HistoryError if output is lost, or if neither the file nor the reserve could take the end. */
  finish(id: string, ending: RecordedEnd): void {
    const recording = this.#recordings.get(id)
    // The session is unknown or has ended. The database throws the error for this case.
    if (recording === undefined) return this.#parts.database().finish(id, toRow(ending, 0), [])
    if (recording.end !== undefined) throw new HistoryError(`session ${id} has ended already`)
    const { beganAt } = recording
    const end = beganAt === undefined ? ending : { ...ending, beganAt: new Date(beganAt) }
    recording.end = end
    this.flush(id)
    const isSafe = !this.#recordings.has(id) || this.#keepEnd(id, recording, end)
    this.followers.wake(id)
    const obstacle = recording.failure ?? (isSafe ? undefined : this.#trouble)
    if (obstacle !== undefined) throw this.#incomplete(id, recording, obstacle)
  }

  /** Writes the events of the session. Does nothing while the file is locked. */
  flush(id: string): void {
    const recording = this.#recordings.get(id)
    if (recording !== undefined && this.#lock === undefined) this.#write(id, recording)
  }

  /** Tries a small write. If it succeeds, writes everything. @throws HistoryError */
  probe(): void {
    this.#noting(() => this.#parts.database().probe())
    this.#flushAll()
  }

  /** Writes everything. Ends that cannot be written stay in the reserve. */
  close(): void {
    if (this.#recordings.size > 0) this.#noted(() => this.#parts.database().bePatient())
    this.#flushAll()
    clearTimeout(this.#timer)
    this.followers.close()
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

  /** After the disk had no space for one end, skips the other ends, because a thousand attempts take long. */
  #writeAll(): void {
    let isFull = false
    for (const [id, recording] of this.#recordings) {
      if (isFull && recording.pending.length === 0) continue
      const outcome = this.#write(id, recording)
      if (outcome === 'locked') return
      isFull ||= outcome === 'full'
    }
  }

  /**
   * `locked`: nothing has changed, and other writes would fail, too. `full`: there was no space even for the
   * end.
   */
  #write(id: string, recording: Recording): 'done' | 'locked' | 'full' {
    const error = this.#attempt(id, recording)
    if (error === undefined) {
      this.followers.wake(id)
      return 'done'
    }
    if (isLocked(error)) {
      // A checkpoint of another program is over before the timer tries again.
      if (this.#lock !== undefined && !this.#isLockTold) this.#options.onError(error)
      this.#isLockTold = this.#lock !== undefined
      this.#lock = error
      return 'locked'
    }
    const hadEvents = recording.pending.length > 0
    this.#tell(recording, error)
    if (hadEvents) this.#change(recording, () => recording.fail(error))
    this.followers.wake(id)
    // The disk may have space for the few bytes of the end, even if it had none for the output.
    if (hadEvents) return this.#write(id, recording)
    return hasNoRoom(error) ? 'full' : 'done'
  }

  #attempt(id: string, recording: Recording): HistoryError | undefined {
    const { end } = recording
    const { unwrittenBeginning } = recording
    if (end === undefined && recording.pending.length === 0 && unwrittenBeginning === undefined)
      return undefined
    return this.#noted(() => {
      if (recording.pending.length > 0) this.#makeRoom(recording)
      const { database, quota } = this.#parts
      const events = recording.unwritten
      if (end === undefined) database().append(id, events, unwrittenBeginning)
      else database().finish(id, toRow(end, recording.dropped), events)
      quota.count(recording.holder, costOf(events))
      this.#lock = undefined
      recording.isBeginningWritten = recording.beganAt !== undefined
      this.#change(recording, () => recording.clear())
      if (end !== undefined) this.#forget(id)
    })
  }

  #makeRoom(recording: Recording): void {
    const refusal = this.#parts.quota.roomToRecord(recording.holder, recording.cost)
    if (refusal === undefined) return
    const reason = `the output is no longer recorded: ${refusal}`
    this.#change(recording, () => recording.cut(reason))
  }

  #tell(recording: Recording, error: HistoryError): void {
    if (!recording.isTold) this.#options.onError(error)
    recording.isTold = true
  }

  /**
   * Drops the output of the session that has the most unwritten output. The session that writes next may have
   * little.
   */
  #loseLargest(error: HistoryError): void {
    const [largest] = [...this.#recordings].toSorted(([, a], [, b]) => b.cost - a.cost)
    if (largest === undefined) return
    const [id, recording] = largest
    this.#tell(recording, error)
    this.#change(recording, () => recording.fail(error))
    this.followers.wake(id)
  }

  /**
   * Keeps an end that is not in the file yet. If too many ends wait, gives up the oldest one.
   * @returns true if this end survives the end of the process
   */
  #keepEnd(id: string, recording: Recording, end: RecordedEnd): boolean {
    const waiting = this.#unwrittenEnds()
    const [oldest] = waiting
    if (oldest !== undefined && waiting.length > RESERVED_ENDS) this.#giveUp(oldest)
    this.#startTimer()
    const unwritten = recording.pending.reduce((sum, { bytes }) => sum + bytes.length, recording.dropped)
    return this.#parts.reserve.put(id, { ...end, truncatedBytes: sumOfCounts(end.truncatedBytes, unwritten) })
  }

  #giveUp([id, recording]: [string, Recording]): void {
    this.#change(recording, () => recording.clear())
    this.#forget(id)
    this.followers.wake(id)
    this.#options.onError(new HistoryError(`session history: the end of session ${id} was never written`))
  }

  #forget(id: string): void {
    this.#recordings.delete(id)
    this.#parts.reserve.remove(id)
  }

  #unwrittenEnds(): [string, Recording][] {
    return [...this.#recordings].filter(([, { end }]) => end !== undefined)
  }

  #change(recording: Recording, work: () => void): void {
    const before = recording.cost
    work()
    this.#pendingBytes += recording.cost - before
  }

  /** Runs `work`, and remembers its error if the disk has caused it. */
  #noting(work: () => void): void {
    try {
      work()
      this.#trouble = undefined
      this.#lock = undefined
    } catch (error) {
      if (hasNoRoom(error)) this.#trouble = error
      throw error
    }
  }

  #noted(work: () => void): HistoryError | undefined {
    try {
      this.#noting(work)
      return undefined
    } catch (error) {
      if (error instanceof HistoryError) return error
      throw error
    }
  }

  #incomplete(id: string, { dropped }: Recording, cause: HistoryError): HistoryError {
    const later = this.#recordings.has(id) ? '; its end will be written later' : ''
    const text = `session ${id} has ended, but ${dropped} bytes of its output are not in the history${later}`
    return new HistoryError(`${text}: ${cause.message}`, { cause })
  }
}

/** @param dropped output bytes that the history has lost */
function toRow(end: RecordedEnd, dropped: number) {
  return {
    beganAt: end.beganAt?.getTime() ?? null,
    endedAt: end.endedAt.getTime(),
    exitCode: end.exitCode ?? null,
    truncatedBytes: sumOfCounts(end.truncatedBytes, dropped),
    redactedBytes: end.redactedBytes ?? 0,
    guardrails: end.guardrails ?? null,
    masking: end.masking ?? null,
    cause: end.cause === undefined ? null : JSON.stringify(end.cause),
  }
}
