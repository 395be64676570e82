/** Sessions and events as rows. Beside this only schema, statements, search and removal know SQL. */
import { dirname, resolve } from 'node:path'
import { claimFolder } from '../../basics/files/private-path.ts'
import { sessionFacts } from '../people/audit/session-facts.ts'
import type { Belief } from './clock.ts'
import { ChangeCounts, type ChangesSoFar } from '../store/change-counts.ts'
import type { EventPlace, PlacedEvent } from './reading/follower.ts'
import { Removal, type Holder, type Step, type Victims } from './disk/removal.ts'
import type { KeptConnection } from '../settings/retention.ts'
import { insertionCost, toEvent, toRow, type EventRow, type NewRow, type SessionRow } from './rows.ts'
import { updateSchema } from '../store/schema.ts'
import { Search, type FoundRows } from './search.ts'
import type { SessionAsking, SessionEvent, SessionQuery } from './session.ts'
import { HistoryError, historyError, isNoRoom } from '../store/errors.ts'
import {
  type Access,
  type Connection,
  type OpenFile,
  type SqlStatement,
  bytesOf,
  closeFile,
  durably,
  inTransaction,
  openFile,
  releaseLock,
  takeLock,
  waitForLocks,
} from '../store/sqlite.ts'
import { LISTED_COLUMNS, prepare, type Events } from './statements.ts'
import { tablesOf, type Tables } from './tables.ts'

/** Returned to the disk in one transaction. Small, so that the write-ahead log stays short. */
const PAGES_PER_VACUUM = 1024
const CLOSING_PATIENCE_MS = 2000

/** Sessions and events as rows. Every failure is a HistoryError, and a NoRoomError when there is no room. */
export class HistoryDatabase {
  readonly access: Access
  readonly #path: string
  readonly #lock: Connection | undefined
  readonly #db: Connection
  readonly #statements: ReturnType<typeof prepare>
  readonly #search: Search
  readonly #removal: Removal
  readonly #tables: Tables
  readonly #changes: ChangeCounts
  /** Keys are never used twice in the life of the process: somebody may still be reading under an old one. */
  #lastKey: number
  #closed = false

  /** @param maxBytes the file may not grow beyond this */
  constructor(path: string, maxBytes: number | undefined) {
    this.#path = resolve(path)
    this.#try('create its folder', () => claimFolder(dirname(this.#path)))
    this.#lock = this.#try('lock it', () => lockFor(this.#path))
    try {
      const { db, access } = this.#try('open it', () => openTables(this.#path, maxBytes))
      this.#db = db
      this.access = access
      this.#statements = this.#try('use it', () => prepare(this.#db))
      this.#search = new Search(this.#db, LISTED_COLUMNS)
      this.#removal = this.#try('use it', () => new Removal(this.#db))
      this.#tables = this.#try('use it', () => tablesOf(this.#db))
      this.#changes = this.#try('use it', () => new ChangeCounts(this.#db))
      this.#lastKey = this.#number(this.#statements.lastKey, [])
    } catch (error) {
      if (this.#lock !== undefined) releaseLock(this.#lock)
      throw error
    }
  }

  /** Inserts the session as open, with its input, and what the audit log says of it. @returns how many bytes that takes */
  insert(row: NewRow, input: readonly Buffer[], asking: SessionAsking = {}): number {
    const { id, startedAt, request, user, connection, connectionType } = row
    const cost = insertionCost(row, input)
    this.#write('begin a session', () => {
      const found = [user, connection, connectionType, row.correlationId ?? null, row.sessionBatchId ?? null]
      this.#statements.insert.run([this.#lastKey + 1, id, startedAt, request, ...found, cost])
      for (const bytes of input) this.#statements.append.run(['s', 0, bytes, 0, id])
      this.#tables.audit.append(sessionFacts(row, asking))
    })
    this.#lastKey += 1
    return cost
  }

  append(id: string, events: readonly SessionEvent[]): void {
    this.#write('record output', () => this.#insertEvents(id, events))
  }

  finish(
    id: string,
    end: Pick<
      SessionRow,
      'endedAt' | 'exitCode' | 'truncatedBytes' | 'redactedBytes' | 'guardrails' | 'masking' | 'cause'
    >,
    events: readonly SessionEvent[],
  ): void {
    this.#write('record the end of a session', () => {
      this.#insertEvents(id, events)
      const { endedAt, exitCode, truncatedBytes, redactedBytes, guardrails, masking, cause } = end
      const columns = [endedAt, exitCode, truncatedBytes, redactedBytes, guardrails, masking, cause]
      const { changes } = this.#statements.finish.run([...columns, id])
      if (changes === 0) throw new HistoryError('there is no open session of this id')
    })
  }

  get changes(): ChangesSoFar {
    return this.#try('read it', () => this.#changes.soFar)
  }

  row(id: string): SessionRow | undefined {
    const found = this.#try('read a session', () => this.#statements.row.get([id]))
    return found === undefined ? undefined : toRow(found)
  }

  openSessions(): SessionRow[] {
    return this.#try('list sessions', () => this.#statements.open.all([]).map(toRow))
  }

  find(query: SessionQuery): Omit<FoundRows, 'rows'> & { rows: SessionRow[] } {
    return this.#try('list sessions', () => {
      const found = this.#search.find(query)
      return { ...found, rows: found.rows.map(toRow) }
    })
  }

  /** The key of the newest session. */
  get lastKey(): number {
    return this.#lastKey
  }

  walk(
    query: SessionQuery,
    behind: number,
    newest: number,
  ): { readonly rows: SessionRow[]; readonly until: number } | undefined {
    return this.#try('list sessions', () => {
      const found = this.#search.step(query, behind, newest)
      return found && { ...found, rows: found.rows.map(toRow) }
    })
  }

  /** Replaces the stored request, whose searched parts stay as they are. */
  setRequest(id: string, request: string): void {
    this.#write('change a session', () => this.#statements.setRequest.run([request, request, id]))
  }

  /** The session's input as it was inserted, piece by piece. */
  *input(key: number): Generator<Buffer, void> {
    for (const { bytes } of this.#pages(this.#statements.input, key)) yield bytes
  }

  /** Events in order, read page by page: nothing stays locked while the caller works on one. */
  events(key: number, which: Events): Generator<SessionEvent> {
    return this.#pages(this.#statements[which], key)
  }

  /** The next few events behind a place, input and output. */
  step(key: number, after: EventPlace): PlacedEvent[] {
    const rows = this.#try('read events', () => this.#statements.step.all([key, after]) as EventRow[])
    return rows.map((row) => ({ place: row[0], ...toEvent(row) }))
  }

  /** Whether an event of the session stands there. Its input counts as events before all others. */
  hasEvent(key: number, place: EventPlace): boolean {
    return this.#number(this.#statements.hasEvent, [key, place]) > 0
  }

  /** The place of what was recorded last of the session; 0 when there is nothing. */
  lastEvent(key: number): EventPlace {
    return this.#number(this.#statements.lastEvent, [key])
  }

  /** When the session's last event was recorded, in seconds since its start. */
  lastSecond(key: number): number {
    return this.#number(this.#statements.lastSecond, [key])
  }

  /** Length of the recorded output, `o` and `e` events together, in bytes. */
  outputLength(key: number): number {
    return this.#number(this.#statements.outputLength, [key])
  }

  /** What the sessions of each user, or of each connection, take up, in bytes. */
  recordedBy(whose: keyof Holder): Map<string, number> {
    const { recordedByUser, recordedByConnection } = this.#statements
    const statement = whose === 'user' ? recordedByUser : recordedByConnection
    return this.#try('read it', () => new Map(statement.all([]) as [string, number][]))
  }

  /** Connections that have sessions which may be removed. */
  keptConnections(): KeptConnection[] {
    return this.#try('read it', () => this.#removal.kept())
  }

  usedBytes(): number {
    const { allPages, freePages } = this.#statements
    return bytesOf(this.#number(allPages, []) - this.#number(freePages, []))
  }

  read<T>(read: (tables: Tables) => T): T {
    return this.#try('read it', () => read(this.#tables))
  }

  /** All or nothing. What is written lightly survives only what kills the process. */
  write<T>(write: (tables: Tables) => T, how: 'durably' | 'lightly'): T {
    const work = () => inTransaction(this.#db, () => write(this.#tables))
    return this.#try('write it', () => (how === 'durably' ? durably(this.#db, work) : work()))
  }

  /** All or nothing. Only a power failure can undo it. */
  note<T>(write: (tables: Tables) => T): T {
    return this.#write('write it', () => write(this.#tables))
  }

  /** Removes a small part of the victims. The file uses the free space again. */
  remove(victims: Victims): Step {
    return this.#write('remove old sessions', () => this.#removal.step(victims))
  }

  hasFinished(whose: Partial<Holder>): boolean {
    return this.#try('read it', () => this.#removal.isPossible(whose))
  }

  /** Returns a part of the file's free space to the disk. @returns false when there was nothing more */
  shrink(): boolean {
    return this.#try('give disk space back', () => {
      const before = this.#number(this.#statements.freePages, [])
      if (before > 0) this.#db.exec(`PRAGMA history.incremental_vacuum(${PAGES_PER_VACUUM})`)
      this.#db.exec('PRAGMA history.wal_checkpoint(TRUNCATE)')
      return this.#number(this.#statements.freePages, []) < before
    })
  }

  /** Undefined when no gateway has used the file yet. */
  clock(): (Belief & { readonly latestAt: number }) | undefined {
    const found = this.#try('read it', () => this.#statements.clock.get([]))
    if (found === undefined) return undefined
    const [trustedAt, provenMs, latestAt] = found as [number, number, number]
    return { trustedAt, provenMs, latestAt }
  }

  setBelief({ trustedAt, provenMs }: Belief, latestAt: number): void {
    this.#write('keep the time', () => {
      this.#statements.forgetClock.run([])
      this.#statements.setClock.run([trustedAt, provenMs, latestAt].map(Math.round))
    })
  }

  /** Forgets the latest time seen: the wall clock is right. @returns that time in ms since 1970, if there was one */
  resetLatestTime(): number | undefined {
    const latestAt = this.clock()?.latestAt
    this.#write('keep the time', () => this.#statements.setLatest.run([Date.now()]))
    return latestAt
  }

  /** Writes as much as a small session needs, and takes it back. @throws NoRoomError while there is no room for it */
  probe(): void {
    const { removeProbe, insertProbe } = this.#statements
    this.#write('write it', () => {
      removeProbe.run([])
      insertProbe.run([])
    })
    this.#write('write it', () => removeProbe.run([]))
  }

  /** From now on a write waits longer for other programs. For a gateway that serves nobody any more. */
  bePatient(): void {
    if (!this.#closed) waitForLocks(this.#db, CLOSING_PATIENCE_MS)
  }

  /** Closes the file and releases its lock. Never throws. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeFile(this.#db)
    if (this.#lock !== undefined) releaseLock(this.#lock)
  }

  #insertEvents(id: string, events: readonly SessionEvent[]): void {
    for (const { kind, seconds, bytes, isStderr } of events)
      this.#statements.append.run([kind, seconds, bytes, isStderr === true ? 1 : 0, id])
  }

  /** Reads until a page is empty: more may be written while the caller works on one. */
  *#pages(statement: SqlStatement, session: number): Generator<SessionEvent> {
    let after = 0
    for (;;) {
      const page = this.#try('read events', () => statement.all([session, after]) as EventRow[])
      for (const row of page) {
        after = row[0]
        yield toEvent(row)
      }
      if (page.length === 0) return
    }
  }

  #number(statement: SqlStatement, parameters: readonly unknown[]): number {
    return this.#try('read it', () => (statement.get(parameters) as [number])[0])
  }

  #write<T>(what: string, work: () => T): T {
    return this.#try(what, () => inTransaction(this.#db, work))
  }

  #try<T>(what: string, work: () => T): T {
    try {
      if (this.#closed) throw new HistoryError('it is closed')
      return work()
    } catch (error) {
      throw historyError(this.#path, what, error)
    }
  }
}

/** Undefined on a disk that allows no lock: it can only be read, and many may do so. */
function lockFor(path: string): Connection | undefined {
  try {
    return takeLock(`${path}.lock`)
  } catch (error) {
    if (isNoRoom(error, path)) return undefined
    throw error
  }
}

function openTables(path: string, maxBytes: number | undefined): OpenFile {
  const opened = openFile(path, maxBytes)
  try {
    updateSchema(opened.db)
    return opened
  } catch (error) {
    closeFile(opened.db)
    throw error
  }
}
