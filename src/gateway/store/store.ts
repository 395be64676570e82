import { dirname, resolve } from 'node:path'
import { claimFolder } from '../../basics/files/private-path.ts'
import { historyError, isBusy, isNoRoom, HistoryError } from './errors.ts'
import { layoutOf, tablesOf, type Rooms, type Tables, type Room } from './room.ts'
import {
  type Access,
  type Connection,
  type OpenFile,
  type SqlStatement,
  BUSY_TIMEOUT_MS,
  pagesToBytes,
  closeFile,
  durably,
  inTransaction,
  openFile,
  releaseLock,
  takeLock,
  waitForLocks,
} from './sqlite.ts'

/** Number of pages that one transaction returns to the disk: few, so that the write-ahead log stays short. */
const PAGES_PER_VACUUM = 1024
const CLOSING_PATIENCE_MS = 2000

/** One file with the rows of all rooms. Throws only HistoryErrors, with `noRoom` if the disk is the cause. */
export class Store {
  readonly access: Access
  protected readonly tables: Tables
  readonly #path: string
  readonly #lock: Connection | undefined
  readonly #db: Connection
  readonly #changes: ChangeCounts
  readonly #pages: { readonly all: SqlStatement; readonly free: SqlStatement }
  #closed = false

  constructor(path: string, rooms: Rooms, maxBytes: number | undefined) {
    this.#path = resolve(path)
    this.attempt('create its folder', () => claimFolder(dirname(this.#path)))
    this.#lock = this.attempt('lock it', () => lockFor(this.#path))
    try {
      const { db, access } = this.attempt('open it', () => openTables(this.#path, rooms, maxBytes))
      this.#db = db
      this.access = access
      this.tables = this.attempt('use it', () => tablesOf(db, rooms))
      this.#changes = this.attempt('use it', () => new ChangeCounts(db, rooms))
      const reading = (sql: string) => this.attempt('use it', () => db.prepare(sql).raw())
      this.#pages = {
        all: reading('PRAGMA history.page_count'),
        free: reading('PRAGMA history.freelist_count'),
      }
    } catch (error) {
      if (this.#lock !== undefined) releaseLock(this.#lock)
      throw error
    }
  }

  get changes(): ChangesSoFar {
    return this.attempt('read it', () => this.#changes.soFar)
  }

  usedBytes(): number {
    return pagesToBytes(this.number(this.#pages.all, []) - this.#freePages())
  }

  read<T>(read: (tables: Tables) => T): T {
    return this.attempt('read it', () => read(this.tables))
  }

  /** Writes in one transaction. A power failure can undo a write that is done `lightly`; a kill cannot. */
  write<T>(write: (tables: Tables) => T, how: 'durably' | 'lightly'): T {
    const work = () => inTransaction(this.#db, () => write(this.tables))
    return this.attempt('write it', () => (how === 'durably' ? durably(this.#db, work) : work()))
  }

  /** Writes in one transaction, which only a power failure can undo. */
  note<T>(write: (tables: Tables) => T): T {
    return this.inOne('write it', () => write(this.tables))
  }

  /** Returns a part of the free space to the disk. @returns false when nothing was returned */
  shrink(): boolean {
    return this.attempt('return disk space', () => {
      const before = this.#freePages()
      if (before > 0) this.#db.exec(`PRAGMA history.incremental_vacuum(${PAGES_PER_VACUUM})`)
      this.#db.exec('PRAGMA history.wal_checkpoint(TRUNCATE)')
      return this.#freePages() < before
    })
  }

  /** Tells at once whether no other program has locked the file for writes. */
  get isFree(): boolean {
    try {
      waitForLocks(this.#db, 0)
      inTransaction(this.#db, () => undefined)
      return true
    } catch (error) {
      // Any other error is for the next write to throw.
      return !isBusy(error)
    } finally {
      waitForLocks(this.#db, BUSY_TIMEOUT_MS)
    }
  }

  /** Makes later writes wait longer for locks of other programs. The gateway must no longer serve anybody. */
  bePatient(): void {
    if (!this.#closed) waitForLocks(this.#db, CLOSING_PATIENCE_MS)
  }

  /** Never throws. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeFile(this.#db)
    if (this.#lock !== undefined) releaseLock(this.#lock)
  }

  protected number(statement: SqlStatement, parameters: readonly unknown[]): number {
    return this.attempt('read it', () => (statement.get(parameters) as [number])[0])
  }

  protected inOne<T>(what: string, work: () => T): T {
    return this.attempt(what, () => inTransaction(this.#db, work))
  }

  protected attempt<T>(what: string, work: () => T): T {
    try {
      if (this.#closed) throw new HistoryError('the history is closed')
      return work()
    } catch (error) {
      throw historyError(this.#path, what, error)
    }
  }

  #freePages(): number {
    return this.number(this.#pages.free, [])
  }
}

/** Returns undefined on a disk that allows no lock. Then the gateway can only read the history. */
function lockFor(path: string): Connection | undefined {
  try {
    return takeLock(`${path}.lock`)
  } catch (error) {
    if (isNoRoom(error, path)) return undefined
    throw error
  }
}

function openTables(path: string, rooms: Rooms, maxBytes: number | undefined): OpenFile {
  const opened = openFile(path, maxBytes)
  try {
    updateSchema(opened.db, layoutOf(rooms).steps)
    return opened
  } catch (error) {
    closeFile(opened.db)
    throw error
  }
}

/** Number of changes in each room. */
export type ChangesSoFar = Readonly<Partial<Record<keyof Tables, number>>>

/** Counts changes by triggers. The counts are only in memory, and a rollback also undoes them. */
class ChangeCounts {
  readonly #read: SqlStatement

  constructor(db: Connection, rooms: Rooms) {
    db.exec('CREATE TEMP TABLE change_counts (topic TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID')
    for (const [topic, { watched }] of Object.entries<Room<unknown>>(rooms)) {
      if (watched === undefined) continue
      db.exec(`INSERT INTO change_counts VALUES ('${topic}', 0)`)
      for (const [table, columns] of Object.entries(watched)) db.exec(triggers(topic, table, columns))
    }
    this.#read = db.prepare('SELECT topic, count FROM change_counts').raw()
  }

  get soFar(): ChangesSoFar {
    return Object.fromEntries(this.#read.all([]) as [string, number][])
  }
}

function triggers(topic: string, table: string, columns: readonly string[]): string {
  const update = columns.length === 0 ? 'UPDATE' : `UPDATE OF ${columns.join(', ')}`
  return ['INSERT', update, 'DELETE']
    .map(
      (event, at) => `CREATE TEMP TRIGGER change_of_${table}_${at} AFTER ${event} ON history.${table}
        BEGIN UPDATE change_counts SET count = count + 1 WHERE topic = '${topic}'; END;`,
    )
    .join('\n')
}

/**
 * Updates the schema in one transaction. A new file takes the same steps as an old one, so both get the same
 * schema. @throws HistoryError
 */
export function updateSchema(db: Connection, steps: readonly string[]): void {
  const [version] = db.prepare('PRAGMA history.user_version').raw().get([]) as [number]
  if (version === steps.length) return
  if (version > steps.length || version < 0) {
    const versions = `schema ${version}; this program supports schemas up to ${steps.length}`
    throw new HistoryError(`the history was written by a newer version of this program (${versions})`)
  }
  if (version === 0 && db.prepare('SELECT 1 FROM history.sqlite_master').raw().get([]) !== undefined) {
    throw new HistoryError('the file belongs to another program; set another state folder')
  }
  inTransaction(db, () => {
    for (const step of steps.slice(version)) db.exec(step)
    db.exec(`PRAGMA history.user_version = ${steps.length}`)
  })
}
