/**
 * SQLite by way of libsql 0.5: opening, locking, transactions. Quirks of it, all seen:
 * - binding a boolean aborts the process; strings end at their first NUL (JSON text has none);
 * - a single parameter that is an object is taken for named parameters: always bind one array;
 * - rows must be read `raw()`: otherwise blobs come as ArrayBuffers and `get` adds a `_metadata` column;
 * - `close()` leaves the file open, locks and all, until the garbage collector has taken every prepared
 *   statement. So the file is attached to a connection that is in memory, and detached to close it;
 * - its `transaction()` hides the error behind "cannot rollback" when SQLite has rolled back by itself.
 */
import { closeSync, openSync } from 'node:fs'
import Database from 'libsql'
import { claimFile } from '../../basics/private-path.ts'
import { HistoryError } from './session.ts'

export type Connection = InstanceType<typeof Database>
export type Statement = Database.Statement

const PAGE_BYTES = 4096
/** Another program may hold a lock on the file. All of the gateway stands still while we wait for it. */
const BUSY_TIMEOUT_MS = 50
/** The write-ahead log is cut back to this after a checkpoint. */
const JOURNAL_BYTES = 8 * 1024 * 1024

/**
 * A lock of the operating system on a file of its own: it goes when the process dies, however it dies, and the
 * database itself can still be looked at with sqlite3. Throws a HistoryError when somebody else has it.
 */
export function takeLock(file: string): Connection {
  makePrivate(file)
  const lock = new Database(file)
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (!code(error).startsWith('SQLITE_BUSY')) throw error
    throw new HistoryError('another gateway is using it; stop that one or give this one another state folder')
  }
}

export function releaseLock(lock: Connection): void {
  quietly(() => lock.exec('ROLLBACK'))
  lock.close()
}

/**
 * Opens or creates the file, mode 0600, as the schema `history` of a connection. `maxBytes`: it is not allowed
 * to grow beyond that.
 */
export function openFile(file: string, maxBytes: number | undefined): Connection {
  makePrivate(file)
  const db = new Database(':memory:')
  try {
    db.exec(`ATTACH '${file.replaceAll("'", "''")}' AS history`)
    // auto_vacuum only takes effect before the first table, and before the switch to WAL has written a page.
    waitForLocks(db, BUSY_TIMEOUT_MS)
    db.exec(`PRAGMA history.page_size = ${PAGE_BYTES};
             PRAGMA history.auto_vacuum = INCREMENTAL; PRAGMA history.journal_mode = WAL;
             PRAGMA history.synchronous = NORMAL; PRAGMA foreign_keys = ON;
             PRAGMA history.journal_size_limit = ${JOURNAL_BYTES}`)
    if (maxBytes !== undefined)
      db.exec(`PRAGMA history.max_page_count = ${Math.floor(maxBytes / PAGE_BYTES)}`)
    return db
  } catch (error) {
    closeFile(db)
    throw error
  }
}

export function waitForLocks(db: Connection, ms: number): void {
  db.exec(`PRAGMA busy_timeout = ${ms}`)
}

/** Whether another program holds the file: the same may work in a moment. */
export function isLocked(error: HistoryError): boolean {
  return code(error.cause).startsWith('SQLITE_BUSY')
}

/** Moves the write-ahead log into the file and closes it. Never throws: a log left over is read at the next opening. */
export function closeFile(db: Connection): void {
  quietly(() => db.exec('DETACH history'))
  db.close()
}

/** All or nothing. Throws what `work` or the commit throws. */
export function inTransaction(db: Connection, work: () => void): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    work()
    db.exec('COMMIT')
  } catch (error) {
    if (db.inTransaction) quietly(() => db.exec('ROLLBACK'))
    throw error
  }
}

const REMEDIES = [
  ['SQLITE_FULL', 'free some space or shorten history.retain'],
  ['SQLITE_NOTADB', 'move the file away'],
  ['SQLITE_CORRUPT', 'the file is damaged, move it away'],
  ['SQLITE_BUSY', 'another program holds it, close that one'],
] as const

/** What went wrong and, where there is something to do about it, what. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const [, remedy] = REMEDIES.find(([prefix]) => code(error).startsWith(prefix)) ?? []
  return remedy === undefined ? text : `${text}; ${remedy}`
}

function code(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/**
 * SQLite follows links, and gives `-wal` and `-shm` the mode of the file itself. An existing file is never opened
 * here: closing any descriptor of it would drop the locks this process has on it (POSIX locks belong to the process).
 */
function makePrivate(file: string): void {
  if (!claimFile(file)) createEmpty(file)
  for (const suffix of ['-wal', '-shm', '-journal']) claimFile(`${file}${suffix}`)
}

function createEmpty(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    // Another gateway starting at the same moment was quicker.
    if (code(error) !== 'EEXIST') throw error
  }
}

/** For giving back, where another error is on its way already or nobody is left to hear of it. */
function quietly(work: () => void): void {
  try {
    work()
  } catch {
    // see above
  }
}
