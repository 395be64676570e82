/**
 * SQLite by way of libsql 0.5: opening, locking, transactions. Quirks of libsql, all seen:
 * - binding a boolean aborts the process; strings end at their first NUL (JSON text has none);
 * - a single parameter that is an object is read as named parameters, so always bind one array;
 * - rows must be read with `raw()`; otherwise blobs are ArrayBuffers and `get` adds a `_metadata` column;
 * - `close()` leaves the file open and locked until the garbage collector has collected every prepared
 * statement. So the file is attached to a connection that is in memory, and is detached to close it;
 * - its `transaction()` hides the error behind "cannot rollback" when SQLite has rolled back by itself.
 */
import { closeSync, openSync, statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import Database from 'libsql'
import { claimFile, findOwnFile } from '../../basics/files/private-path.ts'
import { HistoryError, code, isBusy, isNoRoom } from './errors.ts'

export type Connection = InstanceType<typeof Database>
export type SqlStatement = Database.Statement

const PAGE_BYTES = 4096
/**
 * Longest wait for another program's lock. The whole gateway is blocked during this wait, so writes that have
 * to wait longer do so in history/patience.ts.
 */
export const BUSY_TIMEOUT_MS = 50
/** Files that SQLite keeps beside a database. */
const BESIDE = ['-wal', '-shm', '-journal']
/** The write-ahead log is cut to this size after a checkpoint. */
const JOURNAL_BYTES = 8 * 1024 * 1024

/**
 * Locks a separate file, so that sqlite3 can still open the database. The lock ends with the process, even if
 * it is killed.
 * @throws HistoryError when another process has the lock
 */
export function takeLock(file: string): Connection {
  makePrivate(file)
  const lock = new Database(file)
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw error
    throw new HistoryError(
      'another gateway is using it; stop that gateway, or set another state folder for this gateway',
    )
  }
}

export function releaseLock(lock: Connection): void {
  quietly(() => lock.exec('ROLLBACK'))
  lock.close()
}

/**
 * `alone` means that the disk has no space for SQLite's shared memory. Then no other program can read the
 * file, but writes still work if there is space for them. `read-only` means that the disk is read-only.
 */
export type Access = 'shared' | 'alone' | 'read-only'

interface Way {
  readonly access: Access
  readonly query: string
  /** True if this way ignores the write-ahead log. It must only be used if the log is empty. */
  readonly withoutLog?: true
}

const WAYS: readonly Way[] = [
  { access: 'shared', query: '' },
  { access: 'alone', query: '' },
  { access: 'read-only', query: '?mode=ro' },
  { access: 'read-only', query: '?immutable=1', withoutLog: true },
]

export interface OpenFile {
  readonly db: Connection
  readonly access: Access
}

/** Opens or creates the file (0600) as schema `history`, as well as a full or read-only disk allows. */
export function openFile(file: string, maxBytes: number | undefined): OpenFile {
  let first: unknown
  for (const way of WAYS.filter(({ withoutLog }) => withoutLog !== true || !hasLog(file))) {
    try {
      return { db: openBy(way, file, maxBytes), access: way.access }
    } catch (error) {
      first ??= error
      if (!isNoRoom(first, file)) break
    }
  }
  throw first
}

function openBy({ access, query }: Way, file: string, maxBytes: number | undefined): Connection {
  if (access !== 'read-only') makePrivate(file)
  const db = new Database(':memory:')
  try {
    waitForLocks(db, BUSY_TIMEOUT_MS)
    if (access === 'alone') db.exec('PRAGMA locking_mode = EXCLUSIVE')
    db.exec(`ATTACH '${urlOf(file)}${query}' AS history`)
    if (access !== 'read-only') prepareFile(db, maxBytes)
    // Foreign keys would remove a whole session in one step. history/disk/removal.ts needs many small steps.
    db.exec('PRAGMA foreign_keys = OFF')
    db.prepare('SELECT count(*) FROM history.sqlite_master').raw().get([])
    return db
  } catch (error) {
    closeFile(db)
    throw error
  }
}

/** Sets how SQLite uses the file. Writes nothing to an existing file, because the disk may be full. */
function prepareFile(db: Connection, maxBytes: number | undefined): void {
  const [pages] = db.prepare('PRAGMA history.page_count').raw().get([]) as [number]
  // auto_vacuum works only before the first table, and before the switch to WAL has written a page.
  if (pages === 0)
    db.exec(`PRAGMA history.page_size = ${PAGE_BYTES}; PRAGMA history.auto_vacuum = INCREMENTAL`)
  db.exec(`PRAGMA history.journal_mode = WAL; PRAGMA history.synchronous = NORMAL;
           PRAGMA history.journal_size_limit = ${JOURNAL_BYTES}`)
  if (maxBytes !== undefined) db.exec(`PRAGMA history.max_page_count = ${Math.floor(maxBytes / PAGE_BYTES)}`)
}

export function hasLog(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
}

export function waitForLocks(db: Connection, ms: number): void {
  db.exec(`PRAGMA busy_timeout = ${ms}`)
}

/** Moves the write-ahead log into the file. Never throws: the next opening reads a log that is left. */
export function closeFile(db: Connection): void {
  quietly(() => db.exec('DETACH history'))
  db.close()
}

/** Reads the file read-only. Other connections may write meanwhile. @throws SQLite's errors */
export function readAlone<T>(file: string, read: (db: Connection) => T): T {
  const db = new Database(':memory:')
  try {
    db.exec(`ATTACH '${urlOf(file)}?mode=ro' AS history`)
    return read(db)
  } finally {
    closeFile(db)
  }
}

export function urlOf(file: string): string {
  return pathToFileURL(file).href.replaceAll("'", '%27')
}

export function inTransaction<T>(db: Connection, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    if (db.inTransaction) quietly(() => db.exec('ROLLBACK'))
    throw error
  }
}

/** Makes commits of `work` survive a power failure. Other commits survive only the end of the process. */
export function durably<T>(db: Connection, work: () => T): T {
  db.exec('PRAGMA history.synchronous = FULL')
  try {
    return work()
  } finally {
    db.exec('PRAGMA history.synchronous = NORMAL')
  }
}

export function pagesToBytes(pages: number): number {
  return pages * PAGE_BYTES
}

/**
 * Creates the file for its owner alone; SQLite gives `-wal` and `-shm` the same mode. Refuses links, which
 * SQLite would follow. Never opens an existing file: closing a descriptor drops all locks of this process on
 * the file (POSIX).
 */
function makePrivate(file: string): void {
  if (!claimFile(file)) createEmpty(file)
  for (const suffix of BESIDE) claimFile(`${file}${suffix}`)
}

/** SQLite follows links, even for reads. @throws ForeignPathError */
export function refuseLinks(file: string): void {
  for (const suffix of ['', ...BESIDE]) findOwnFile(`${file}${suffix}`)
}

function createEmpty(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    // Another gateway that starts at the same moment has created the file.
    if (code(error) !== 'EEXIST') throw error
  }
}

/** Ignores errors of a cleanup, because an earlier error is already reported or nobody waits for a result. */
function quietly(work: () => void): void {
  try {
    work()
  } catch {
    // Ignored (see the comment above).
  }
}
