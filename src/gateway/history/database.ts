/** Every statement on the tables of schema.ts; nothing else in the gateway knows SQL. */
import { dirname, resolve } from 'node:path'
import { claimFolder } from '../../basics/private-path.ts'
import { updateSchema } from './schema.ts'
import { Search } from './search.ts'
import type { EventKind, NewSession, SessionEvent, SessionQuery } from './session.ts'
import { HistoryError } from './session.ts'
import type { Connection, Statement } from './sqlite.ts'
import { closeFile, inTransaction, openFile, reason, releaseLock, takeLock, waitForLocks } from './sqlite.ts'

/** What is stored of a session beside its events; `request` is JSON text. Times in milliseconds since 1970. */
export interface SessionRow {
  readonly key: number
  readonly id: string
  readonly status: 'open' | 'done'
  readonly startedAt: number
  readonly endedAt: number | null
  readonly exitCode: number | null
  readonly truncatedBytes: number
  readonly redactedBytes: number
  /** Null while open. */
  readonly outputBytes: number | null
  readonly request: string
}

/** What a session begins with; the columns to find it by are `request`'s own. */
export type NewRow = Pick<SessionRow, 'id' | 'startedAt' | 'request'> &
  Pick<NewSession, 'user' | 'connection' | 'connectionType' | 'correlationId' | 'sessionBatchId'>

/** Input and output; output alone; all of it with the sizes of the terminal. */
export type Events = 'stream' | 'output' | 'terminal'

export const KINDS: Readonly<Record<Events, readonly EventKind[]>> = {
  stream: ['i', 'o', 'e'],
  output: ['o', 'e'],
  terminal: ['i', 'o', 'e', 'r'],
}

const SHORT_COLUMNS =
  'key, id, status, started_at, ended_at, exit_code, truncated_bytes, redacted_bytes, output_bytes'
const COLUMNS = `${SHORT_COLUMNS}, request`
/** Labels may have megabytes, and a page a hundred sessions: from here on a list goes without them. */
const LISTED_REQUEST_BYTES = 64 * 1024
const LISTED_COLUMNS = `${SHORT_COLUMNS}, CASE WHEN octet_length(request) <= ${LISTED_REQUEST_BYTES} THEN request
  ELSE json_set(request, '$.labels', json('{}'), '$.metadata', json('{}')) END`
const OUTPUT_LENGTH = 'SELECT coalesce(sum(length(bytes)), 0) FROM events'
/** Rows of at most 64 KiB: a page of events is at most 2 MiB. */
const EVENTS_PER_READ = 32
/** Deleted, and given back to the disk, in one transaction each, so that the write-ahead log stays short. */
const SESSIONS_PER_DELETE = 50
const PAGES_PER_VACUUM = 4096
const CLOSING_PATIENCE_MS = 2000

/** Sessions and events as rows. Every failure is a HistoryError. */
export class HistoryDatabase {
  readonly #path: string
  readonly #lock: Connection
  readonly #db: Connection
  readonly #statements: ReturnType<typeof prepare>
  readonly #search: Search
  #closed = false

  /** `maxBytes`: the file is not allowed to grow beyond it. */
  constructor(path: string, maxBytes: number | undefined) {
    this.#path = resolve(path)
    this.#try('create its folder', () => claimFolder(dirname(this.#path)))
    this.#lock = this.#try('lock it', () => takeLock(`${this.#path}.lock`))
    try {
      this.#db = this.#try('open it', () => openTables(this.#path, maxBytes))
      this.#statements = this.#try('use it', () => prepare(this.#db))
      this.#search = new Search(this.#db, LISTED_COLUMNS)
    } catch (error) {
      releaseLock(this.#lock)
      throw error
    }
  }

  /** Inserts the session as open, with its input. */
  insert(row: NewRow, input: readonly Buffer[]): void {
    this.#write('begin a session', () => {
      const { id, startedAt, request, user, connection, connectionType } = row
      const found = [user, connection, connectionType, row.correlationId ?? null, row.sessionBatchId ?? null]
      this.#statements.insert.run([id, startedAt, request, ...found])
      for (const bytes of input) this.#statements.append.run(['s', 0, bytes, id])
    })
  }

  append(id: string, events: readonly SessionEvent[]): void {
    this.#write('record output', () => this.#insertEvents(id, events))
  }

  /** Writes the last events and the end together. */
  finish(
    id: string,
    end: Pick<SessionRow, 'endedAt' | 'exitCode' | 'truncatedBytes' | 'redactedBytes'>,
    events: readonly SessionEvent[],
  ): void {
    this.#write('record the end of a session', () => {
      this.#insertEvents(id, events)
      const { endedAt, exitCode, truncatedBytes, redactedBytes } = end
      const { changes } = this.#statements.finish.run([endedAt, exitCode, truncatedBytes, redactedBytes, id])
      if (changes === 0) throw new HistoryError('there is no open session of this id')
    })
  }

  row(id: string): SessionRow | undefined {
    const found = this.#try('read a session', () => this.#statements.row.get([id]))
    return found === undefined ? undefined : toRow(found)
  }

  openSessions(): SessionRow[] {
    return this.#try('list sessions', () => this.#statements.open.all([]).map(toRow))
  }

  /** The rows of one page, newest session first, and how many there are on all pages. */
  find(query: SessionQuery): { rows: SessionRow[]; total: number } {
    return this.#try('list sessions', () => {
      const { rows, total } = this.#search.find(query)
      return { rows: rows.map(toRow), total }
    })
  }

  /** The session's input as it was inserted, a piece at a time. */
  *input(key: number): Generator<Buffer, void> {
    for (const { bytes } of this.#pages(this.#statements.input, key)) yield bytes
  }

  /** Events in their order, a page at a time: nothing stays locked while the caller is busy with one. */
  events(key: number, which: Events): Generator<SessionEvent> {
    return this.#pages(this.#statements[which], key)
  }

  /** When the session's last event was recorded, in seconds since its start. */
  lastSecond(key: number): number {
    return this.#number(this.#statements.lastSecond, [key])
  }

  /** Length of the recorded output, `o` and `e` events together, in bytes. */
  outputLength(key: number): number {
    return this.#number(this.#statements.outputLength, [key])
  }

  /** Deletes sessions that ended before the time, in milliseconds, with their events. Returns how many. */
  purge(endedBefore: number): number {
    let deleted = 0
    for (;;) {
      const { changes } = this.#try('delete old sessions', () => this.#statements.purge.run([endedBefore]))
      deleted += changes
      if (changes < SESSIONS_PER_DELETE) break
    }
    if (deleted > 0) this.#try('give disk space back', () => this.#shrink())
    return deleted
  }

  /** From now on a write waits longer while another program holds the file: for a gateway that serves nobody. */
  bePatient(): void {
    if (!this.#closed) waitForLocks(this.#db, CLOSING_PATIENCE_MS)
  }

  /** Gives the file and its lock back. Never throws. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeFile(this.#db)
    releaseLock(this.#lock)
  }

  #insertEvents(id: string, events: readonly SessionEvent[]): void {
    for (const { kind, seconds, bytes } of events) this.#statements.append.run([kind, seconds, bytes, id])
  }

  /** Until a page is empty: while the caller was busy with one, more may have been written. */
  *#pages(statement: Statement, session: number): Generator<SessionEvent> {
    let after = 0
    for (;;) {
      const page = this.#try('read events', () => statement.all([session, after]) as EventRow[])
      for (const [key, seconds, kind, bytes] of page) {
        after = key
        yield { seconds, kind, bytes }
      }
      if (page.length === 0) return
    }
  }

  #shrink(): void {
    const { freePages } = this.#statements
    for (let free = this.#number(freePages, []), before = Infinity; free > 0 && free < before;) {
      this.#db.exec(`PRAGMA history.incremental_vacuum(${PAGES_PER_VACUUM})`)
      before = free
      free = this.#number(freePages, [])
    }
    this.#db.exec('PRAGMA history.wal_checkpoint(TRUNCATE)')
  }

  #number(statement: Statement, parameters: readonly unknown[]): number {
    return this.#try('read it', () => (statement.get(parameters) as [number])[0])
  }

  #write(what: string, work: () => void): void {
    this.#try(what, () => inTransaction(this.#db, work))
  }

  #try<T>(what: string, work: () => T): T {
    try {
      if (this.#closed) throw new HistoryError('it is closed')
      return work()
    } catch (error) {
      throw new HistoryError(`session history ${this.#path}: cannot ${what}: ${reason(error)}`, {
        cause: error,
      })
    }
  }
}

type EventRow = [key: number, seconds: number, kind: SessionEvent['kind'], bytes: Buffer]

function toRow(found: unknown): SessionRow {
  type Optional = number | null
  type Columns = [
    number,
    string,
    SessionRow['status'],
    number,
    Optional,
    Optional,
    number,
    number,
    Optional,
    string,
  ]
  const [key, id, status, startedAt, endedAt, exitCode, truncatedBytes, redactedBytes, outputBytes, request] =
    found as Columns
  const numbers = { truncatedBytes, redactedBytes, outputBytes }
  return { key, id, status, startedAt, endedAt, exitCode, ...numbers, request }
}

function openTables(path: string, maxBytes: number | undefined): Connection {
  const db = openFile(path, maxBytes)
  try {
    updateSchema(db)
    return db
  } catch (error) {
    closeFile(db)
    throw error
  }
}

function prepare(db: Connection) {
  const reading = (sql: string): Statement => db.prepare(sql).raw()
  const events = (kinds: readonly string[]): Statement =>
    reading(`SELECT key, seconds, kind, bytes FROM events
             WHERE session = ? AND key > ? AND kind IN (${kinds.map((kind) => `'${kind}'`).join()}) ORDER BY key LIMIT ${EVENTS_PER_READ}`)
  return {
    insert:
      db.prepare(`INSERT INTO sessions (id, status, started_at, request, user, connection, connection_type,
                                               correlation_id, batch_id)
                        VALUES (?, 'open', ?, ?, ?, ?, ?, ?, ?)`),
    append: db.prepare(`INSERT INTO events (session, kind, seconds, bytes)
                        SELECT key, ?, ?, ? FROM sessions WHERE id = ?`),
    finish:
      db.prepare(`UPDATE sessions SET status = 'done', ended_at = ?, exit_code = ?, truncated_bytes = ?, redacted_bytes = ?,
                        output_bytes = (${OUTPUT_LENGTH} WHERE session = sessions.key AND kind IN ('o', 'e'))
                        WHERE id = ? AND status = 'open'`),
    purge: db.prepare(`DELETE FROM sessions WHERE key IN
                       (SELECT key FROM sessions WHERE ended_at < ? LIMIT ${SESSIONS_PER_DELETE})`),
    row: reading(`SELECT ${COLUMNS} FROM sessions WHERE id = ?`),
    open: reading(`SELECT ${COLUMNS} FROM sessions WHERE status = 'open' ORDER BY key`),
    input: events(['s']),
    stream: events(KINDS.stream),
    output: events(KINDS.output),
    terminal: events(KINDS.terminal),
    lastSecond: reading('SELECT coalesce(max(seconds), 0) FROM events WHERE session = ?'),
    outputLength: reading(`${OUTPUT_LENGTH} WHERE session = ? AND kind IN ('o', 'e')`),
    freePages: reading('PRAGMA history.freelist_count'),
  }
}
