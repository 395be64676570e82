import { NO_EXIT_CODE } from '../../basics/exit-code.ts'
import { HistoryClock } from './clock.ts'
import { type HistoryDatabase, HistoryFile } from './database.ts'
import type { ChangesSoFar } from '../store/store.ts'
import { Quota } from './disk/quota.ts'
import type { Holder } from './disk/removal.ts'
import { KEEP_ALL, type Retention } from '../settings/retention.ts'
import { Patience } from './patience.ts'
import { HistoryReader } from './reader.ts'
import { chunksOf } from './recording.ts'
import type { Reserve } from './disk/reserve.ts'
import { clockOf, requestOf, requestText, type SessionRow } from './rows.ts'
import {
  type EventKind,
  type NewSession,
  type SessionAsking,
  type RecordedEnd,
  isSessionId,
} from './session.ts'
import { READ_ONLY, HistoryError, hasNoRoom } from '../store/errors.ts'
import type { Rooms, Tables } from '../store/room.ts'
import { Writer, type WriterOptions } from './writer.ts'

export interface HistoryOptions extends Partial<WriterOptions> {
  /** If unset, only the disk limits the size. */
  readonly maxBytes?: number
  /** If unset, there are no limits. */
  readonly retention?: () => Retention
}

const LOST_TEXT = 'gateway stopped while the session was running'
/**
 * Sessions and their output in one SQLite file, which only this process uses. All calls except `patiently` are
 * synchronous. On a full or read-only disk, only calls that have to write fail. The caller then calls `recover` until the disk
 * can be written again.
 */
export class History extends HistoryReader {
  readonly clock: HistoryClock
  readonly quota: Quota
  readonly #writer: Writer
  readonly #reserve: Reserve
  readonly #file: HistoryFile
  readonly #patience = new Patience(() => this.#isFree)

  private constructor(file: HistoryFile, reserve: Reserve, options: HistoryOptions) {
    const { onError = () => undefined, flushAfterMs = 1000, retention = () => KEEP_ALL } = options
    const database = () => file.database
    const quota = new Quota(database, retention)
    const writer = new Writer({ database, quota, reserve }, { onError, flushAfterMs })
    super(database, writer)
    this.#file = file
    this.#reserve = reserve
    this.clock = new HistoryClock(database)
    this.quota = quota
    this.#writer = writer
  }

  /**
   * Opens the file (0600, its folder 0700), or creates it. The reserve has the ends of sessions that ran
   * under an earlier gateway. If the reserve lacks an end, the session gets code 254 and a text. Waiting
   * sessions continue to wait. Throws a HistoryError, for example when another gateway uses the file. A full
   * or read-only disk is no error.
   */
  static open(path: string, rooms: Rooms, options: HistoryOptions = {}): History {
    const file = new HistoryFile(path, rooms, options.maxBytes)
    try {
      const history = new History(file, file.openReserve(), options)
      history.#takeOver()
      return history
    } catch (error) {
      file.close()
      throw error
    }
  }

  /** Says in a few words without a path why sessions cannot be recorded; otherwise undefined. */
  get obstacle(): string | undefined {
    const found = this.#file.obstacle ?? this.#writer.trouble?.noRoom
    return found ?? (this.#reserve.isThere ? undefined : 'the disk is full')
  }

  /** Bytes that are recorded in memory, but are not yet in the file. */
  get unwrittenBytes(): number {
    return this.#writer.pendingBytes
  }

  /** Number of running and waiting sessions. */
  get openSessions(): number {
    return this.#writer.openSessions
  }

  /** Size of the file without its free space. Throws a HistoryError. */
  get usedBytes(): number {
    return this.#database.usedBytes()
  }

  recover(): void {
    this.#reserve.open()
    try {
      // A file that was opened on a read-only disk cannot be written until it is opened again.
      if (!this.#file.isWritable || this.obstacle === READ_ONLY) this.#reopen()
      if (this.#file.isWritable) this.#writer.probe()
      if (this.#file.isMakeshift) this.#reopen()
    } catch (error) {
      if (!hasNoRoom(error)) throw error
    }
  }

  /**
   * Throws a HistoryError, for example if the id is already known. Throws a RequestRefused if `history.size`
   * has no space.
   */
  begin(session: NewSession, asking: SessionAsking = {}): void {
    const { id, script, startedAt, ...request } = session
    if (!isSessionId(id)) throw new HistoryError('session history: the session id is not printable ASCII')
    this.#reserve.open()
    if (this.#file.isWritable && !this.#reserve.isThere) throw this.#file.withoutReserve()
    const row = { id, startedAt: startedAt.getTime(), request: requestText(request) }
    this.#writer.begin({ ...request, ...row }, chunksOf(script), asking)
  }

  /** @returns false when there is no such session. @throws HistoryError */
  setMetadata(id: string, metadata: NewSession['metadata']): boolean {
    const row = isSessionId(id) ? this.#database.row(id, 'whole') : undefined
    if (row === undefined) return false
    const request = requestOf(row)
    const text = requestText({ ...request, metadata })
    this.#database.setRequest(id, text)
    this.quota.count(request, Buffer.byteLength(text) - Buffer.byteLength(row.request))
    return true
  }

  /**
   * Notes that the command has begun. From now on, the seconds of the session's events count from this time.
   * Never throws; the time is written with the next events or the end.
   */
  begun(sessionId: string, at: Date): void {
    this.#writer.begun(sessionId, at.getTime())
  }

  /**
   * Keeps the piece in memory. Pieces are written within a second, or as soon as 256 KiB are not written yet.
   * Never throws, because `finish` reports failed writes. Ignores pieces of closed sessions: packets may
   * arrive after the close (protocol.md 3.1).
   */
  append(sessionId: string, kind: EventKind, bytes: Buffer, seconds: number, isStderr = false): void {
    this.#writer.append(sessionId, { kind, bytes, seconds, ...(isStderr && { isStderr }) })
  }

  /**
   * Ends the session for all readers. Throws a HistoryError if the end cannot be written yet, or if some
   * output is lost. An end that cannot be written yet is kept and written later.
   */
  finish(sessionId: string, end: RecordedEnd): void {
    this.#writer.finish(sessionId, end)
  }

  /** Throws a HistoryError. */
  read<T>(read: (tables: Tables) => T): T {
    return this.#database.read(read)
  }

  /**
   * Writes in one transaction. With `durably`, the data survives a power failure. After a HistoryError,
   * nothing has changed.
   */
  write<T>(write: (tables: Tables) => T, how: 'durably' | 'lightly' = 'durably'): T {
    return this.#database.write(write, how)
  }

  /**
   * Writes in one transaction. The data survives the end of this process, but not a power failure. Throws the
   * errors of `write`.
   */
  note<T>(write: (tables: Tables) => T): T {
    return this.#database.note(write)
  }

  /**
   * Calls `work`, which writes, and repeats it if another program has locked the file meanwhile. Waits without
   * blocking the gateway. `work` must not change anything before its first write.
   * @param bytes memory that `work` holds while it waits
   * @throws the errors of `work`
   */
  patiently<T>(work: () => T | Promise<T>, bytes?: number): Promise<T> {
    return this.#patience.try(work, bytes)
  }

  /** Number of changes to each list since the file was opened. Throws a HistoryError. */
  get changes(): ChangesSoFar {
    return this.#database.changes
  }

  /** Throws the errors of `begin` if a session of this size could not begin now. */
  checkRoom(holder: Holder, bytes: number): void {
    this.#reserve.open()
    if (this.#file.isWritable && !this.#reserve.isThere) throw this.#file.withoutReserve()
    this.#writer.checkRoom(holder, bytes)
  }

  /** Tells whether the session runs or waits in this process. */
  isOpen(id: string): boolean {
    const recording = this.#writer.recording(id)
    return recording !== undefined && recording.end === undefined
  }

  /** Returns a part of the free space to the disk. @returns false if there was nothing to return */
  shrink(): boolean {
    return this.#database.shrink()
  }

  /**
   * Writes the output that is not in the file yet. The next `open` treats sessions that still run as lost.
   */
  close(): void {
    this.#patience.close()
    this.#writer.close()
    this.#keepTimeAtEnd()
    this.#reserve.close()
    this.#file.close()
  }

  get #isFree(): boolean {
    return !this.#file.isReadable || this.#database.isFree
  }

  #keepTimeAtEnd(): void {
    try {
      this.clock.keep()
    } catch (error) {
      // Without this write, the stored time is too early by up to a minute.
      if (!(error instanceof HistoryError)) throw error
    }
  }

  get #database(): HistoryDatabase {
    return this.#file.database
  }

  #reopen(): void {
    this.#file.reopen()
    this.#takeOver()
  }

  /**
   * Ends the running sessions of an earlier gateway, resumes its waiting sessions, and clears the reserve.
   */
  #takeOver(): void {
    if (!this.#file.isReadable) return
    this.quota.recount()
    const rows = this.#database.openSessions().filter(({ id }) => this.#writer.recording(id) === undefined)
    for (const row of rows) {
      if (row.waits !== undefined) this.#writer.resume(row.id, requestOf(row))
      else this.#adopt(row)
    }
    const done = [...this.#reserve.ends.keys()].filter((id) => this.#writer.recording(id) === undefined)
    for (const id of done) this.#reserve.remove(id)
  }

  #adopt(row: SessionRow): void {
    const holder = requestOf(row)
    const known = this.#reserve.ends.get(row.id)
    if (known !== undefined) return this.#writer.adopt(row.id, holder, known)
    // The real end is unknown, so the time of the last event counts as the end.
    const seconds = this.#database.lastSecond(row.key)
    const endedAt = new Date(clockOf(row) + Math.round(seconds * 1000))
    const end = {
      endedAt,
      exitCode: NO_EXIT_CODE,
      truncatedBytes: row.truncatedBytes,
      redactedBytes: row.redactedBytes,
      cause: { code: 'gateway-lost' },
    }
    this.#writer.adopt(row.id, holder, end, { kind: 'e', seconds, bytes: Buffer.from(LOST_TEXT) })
  }
}
