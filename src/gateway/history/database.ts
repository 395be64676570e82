import type { KeptConnection } from '../settings/retention.ts'
import { historyError, READ_ONLY, HistoryError, hasNoRoom } from '../store/errors.ts'
import type { Rooms } from '../store/room.ts'
import type { SqlStatement } from '../store/sqlite.ts'
import { Store } from '../store/store.ts'
import type { Belief } from './clock.ts'
import type { Holder, Step, Victims } from './disk/removal.ts'
import { Reserve } from './disk/reserve.ts'
import { foldOf } from './folds.ts'
import type { EventPlace, PlacedEvent } from './follower.ts'
import { insertionCost, kindOf, toEvent, toRow, type EventRow, type NewRow, type SessionRow } from './rows.ts'
import type { FoundRows, OutcomeCounts, SpanQuery } from './search.ts'
import type { Events, SessionRows } from './statements.ts'
import type { SessionAsking, SessionEvent, SessionQuery } from './session.ts'

export class HistoryDatabase extends Store {
  readonly #rows: SessionRows
  /** Keys are never reused in this process, because a reader may still use an old key. */
  #lastKey: number

  constructor(path: string, rooms: Rooms, maxBytes: number | undefined) {
    super(path, rooms, maxBytes)
    this.#rows = this.tables.sessions
    try {
      this.#lastKey = this.number(this.#statements.lastKey, [])
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Inserts an open session with its input and its audit entry. @returns the bytes that it takes up */
  insert(row: NewRow, input: readonly Buffer[], asking: SessionAsking = {}): number {
    const { id, startedAt, request, user, connection, connectionType } = row
    const cost = insertionCost(row, input)
    this.inOne('begin a session', () => {
      const found = [user, connection, connectionType, row.correlationId ?? null, row.sessionBatchId ?? null]
      const searched = [kindOf(row), row.labels['runbookFile'] ?? null, foldOf(row)]
      this.#statements.insert.run([this.#lastKey + 1, id, startedAt, request, ...found, cost, ...searched])
      this.#rows.values.insert(this.#lastKey + 1, row)
      this.#rows.whole.insert(id, request)
      for (const bytes of input) this.#statements.append.run(['s', 0, bytes, 0, id])
      this.#rows.parts.begun(this.tables, row, asking)
    })
    this.#lastKey += 1
    return cost
  }

  /** @param beganAt time at which the command began, if the row does not have it yet */
  append(id: string, events: readonly SessionEvent[], beganAt?: number): void {
    this.inOne('record output', () => {
      if (beganAt !== undefined) this.#statements.setBeginning.run([beganAt, id])
      this.#insertEvents(id, events)
    })
  }

  finish(
    id: string,
    end: Pick<
      SessionRow,
      | 'beganAt'
      | 'endedAt'
      | 'exitCode'
      | 'truncatedBytes'
      | 'redactedBytes'
      | 'guardrails'
      | 'masking'
      | 'cause'
    >,
    events: readonly SessionEvent[],
  ): void {
    this.inOne('record the end of a session', () => {
      this.#insertEvents(id, events)
      const { beganAt, endedAt, exitCode, truncatedBytes, redactedBytes, guardrails, masking, cause } = end
      const counts = [exitCode, truncatedBytes, redactedBytes]
      const columns = [beganAt, endedAt, ...counts, guardrails, masking, cause]
      const { changes } = this.#statements.finish.run([...columns, id])
      if (changes === 0) throw new HistoryError('no open session has this id')
      this.#statements.setOutcome.run([id])
    })
  }

  /** @param form `listed`: the form of lists, in which long texts are missing */
  row(id: string, form: 'listed' | 'whole' = 'listed'): SessionRow | undefined {
    const statement = form === 'listed' ? this.#statements.row : this.#statements.whole
    const found = this.attempt('read a session', () => statement.get([id]))
    return found === undefined ? undefined : this.#toRow(found)
  }

  openSessions(): SessionRow[] {
    return this.attempt('list sessions', () => this.#statements.open.all([]).map(this.#toRow))
  }

  find(query: SessionQuery): Omit<FoundRows, 'rows'> & { rows: SessionRow[] } {
    return this.attempt('list sessions', () => {
      const found = this.#rows.search.find(query)
      return { ...found, rows: found.rows.map(this.#toRow) }
    })
  }

  listedKeys(query: SessionQuery): number[] {
    return this.attempt('list sessions', () => this.#rows.search.listedKeys(query))
  }

  ofKeys(keys: readonly number[]): SessionRow[] {
    return this.attempt('list sessions', () => this.#rows.search.ofKeys(keys).map(this.#toRow))
  }

  outcomes(query: SpanQuery, most: number): OutcomeCounts {
    return this.attempt('count sessions', () => this.#rows.search.outcomes(query, most))
  }

  get lastKey(): number {
    return this.#lastKey
  }

  walk(
    query: SessionQuery,
    behind: number,
    newest: number,
  ): { readonly rows: SessionRow[]; readonly until: number } | undefined {
    return this.attempt('list sessions', () => {
      const found = this.#rows.search.step(query, behind, newest)
      return found && { ...found, rows: found.rows.map(this.#toRow) }
    })
  }

  /** Replaces the stored request. The columns for searches do not change. */
  setRequest(id: string, request: string): void {
    this.inOne('change a session', () => {
      this.#statements.setRequest.run([request, request, id])
      this.#rows.whole.replace(id, request)
    })
  }

  /** Yields the input in the pieces in which it was inserted. */
  *input(key: number): Generator<Buffer, void> {
    for (const { bytes } of this.#pages(this.#statements.input, key)) yield bytes
  }

  /** Reads page by page, so that the file is not locked while the caller handles an event. */
  events(key: number, which: Events, after = 0): Generator<SessionEvent> {
    return this.#pages(this.#statements[which], key, after)
  }

  /** Finds the event before the one that has this byte of the output, and how many bytes end with that event. */
  outputPlace(key: number, byte: number): { readonly after: EventPlace; readonly before: number } {
    const found = this.attempt(
      'read events',
      () => this.#statements.outputPlace.get([key, byte]) as [number, number] | undefined,
    )
    return { after: found?.[0] ?? 0, before: found?.[1] ?? 0 }
  }

  /** Returns the next few events of any kind. */
  step(key: number, after: EventPlace): PlacedEvent[] {
    const rows = this.attempt('read events', () => this.#statements.step.all([key, after]) as EventRow[])
    return rows.map((row) => ({ place: row[0], ...toEvent(row) }))
  }

  /** Tells whether the session has an event at this place. The input has the first places. */
  hasEvent(key: number, place: EventPlace): boolean {
    return this.number(this.#statements.hasEvent, [key, place]) > 0
  }

  /** Place of the last event; 0 for a session without events. */
  lastEvent(key: number): EventPlace {
    return this.number(this.#statements.lastEvent, [key])
  }

  /** Time of the last event, in seconds of the session's clock. */
  lastSecond(key: number): number {
    return this.number(this.#statements.lastSecond, [key])
  }

  /** Returns the last piece of stderr among the last events; empty if there is none. */
  errorTail(key: number): Buffer {
    const row = this.attempt(
      'read events',
      () => this.#statements.errorTail.get([key]) as [Buffer] | undefined,
    )
    return row?.[0] ?? Buffer.alloc(0)
  }

  /** Bytes of `o` and `e` events together. */
  outputLength(key: number): number {
    return this.number(this.#statements.outputLength, [key])
  }

  /** Returns the recorded bytes of each user, or of each connection. */
  recordedBy(whose: keyof Holder): Map<string, number> {
    const { recordedByUser, recordedByConnection } = this.#statements
    const statement = whose === 'user' ? recordedByUser : recordedByConnection
    return this.attempt('read it', () => new Map(statement.all([]) as [string, number][]))
  }

  /** Returns the connections that have sessions which may be removed. */
  keptConnections(): KeptConnection[] {
    return this.attempt('read it', () => this.#rows.removal.kept())
  }

  /** Removes some of these sessions in one short step. The file reuses the free space. */
  remove(victims: Victims): Step {
    return this.inOne('remove old sessions', () => this.#rows.removal.step(victims))
  }

  hasFinished(whose: Partial<Holder>): boolean {
    return this.attempt('read it', () => this.#rows.removal.isPossible(whose))
  }

  /** Returns undefined if no gateway has used the file yet. */
  clock(): (Belief & { readonly latestAt: number }) | undefined {
    const found = this.attempt('read it', () => this.#statements.clock.get([]))
    if (found === undefined) return undefined
    const [trustedAt, provenMs, latestAt] = found as [number, number, number]
    return { trustedAt, provenMs, latestAt }
  }

  setBelief({ trustedAt, provenMs }: Belief, latestAt: number): void {
    this.inOne('store the clock of the gateway', () => {
      this.#statements.forgetClock.run([])
      this.#statements.setClock.run([trustedAt, provenMs, latestAt].map(Math.round))
    })
  }

  /** Sets the latest time to the time of the wall clock. @returns the old latest time, if the file had one */
  resetLatestTime(): number | undefined {
    const latestAt = this.clock()?.latestAt
    this.inOne('store the clock of the gateway', () => this.#statements.setLatest.run([Date.now()]))
    return latestAt
  }

  /**
   * Tests whether the file can be written: inserts a small session and removes it.
   * @throws HistoryError if the disk has no space
   */
  probe(): void {
    const { removeProbe, insertProbe } = this.#statements
    this.inOne('write it', () => {
      removeProbe.run([])
      insertProbe.run([])
    })
    this.inOne('write it', () => removeProbe.run([]))
  }

  #insertEvents(id: string, events: readonly SessionEvent[]): void {
    for (const { kind, seconds, bytes, isStderr } of events)
      this.#statements.append.run([kind, seconds, bytes, isStderr === true ? 1 : 0, id])
  }

  /**
   * Reads until a page is empty. A short page need not be the last page, because events may be written while
   * the caller handles it.
   */
  *#pages(statement: SqlStatement, session: number, begin = 0): Generator<SessionEvent> {
    let after = begin
    for (;;) {
      const page = this.attempt('read events', () => statement.all([session, after]) as EventRow[])
      for (const row of page) {
        after = row[0]
        yield toEvent(row)
      }
      if (page.length === 0) return
    }
  }

  get #statements(): SessionRows['statements'] {
    return this.#rows.statements
  }

  #toRow = (found: unknown): SessionRow => toRow(found, this.#rows.parts)
}

/**
 * The history's file. It is opened with as much access as the disk allows. A full disk is a state of this
 * class, and not an error.
 */
export class HistoryFile {
  readonly #path: string
  readonly #rooms: Rooms
  readonly #maxBytes: number | undefined
  /** An error here means that the disk is too full even for reads. */
  #open: HistoryDatabase | HistoryError
  #isClosed = false

  /** @throws HistoryError; a full disk throws nothing */
  constructor(path: string, rooms: Rooms, maxBytes: number | undefined) {
    this.#path = path
    this.#rooms = rooms
    this.#maxBytes = maxBytes
    this.#open = openDatabase(path, rooms, maxBytes)
  }

  /** @throws HistoryError if the disk is too full even for reads */
  get database(): HistoryDatabase {
    if (!(this.#open instanceof HistoryDatabase)) throw this.#open
    return this.#open
  }

  get isReadable(): boolean {
    return this.#open instanceof HistoryDatabase
  }

  get isWritable(): boolean {
    return this.#open instanceof HistoryDatabase && this.#open.access !== 'read-only'
  }

  /** Tells whether the file should be opened again, because it is not open or has no shared access. */
  get isMakeshift(): boolean {
    return !(this.#open instanceof HistoryDatabase) || this.#open.access !== 'shared'
  }

  get obstacle(): string | undefined {
    if (!(this.#open instanceof HistoryDatabase)) return this.#open.noRoom
    return this.#open.access === 'read-only' ? READ_ONLY : undefined
  }

  /**
   * Call this only while you hold the file's lock. Without the lock, the reserve may have ends that another
   * gateway has not written yet.
   * @throws HistoryError
   */
  openReserve(): Reserve {
    try {
      return new Reserve(`${this.#path}.ends`)
    } catch (error) {
      throw historyError(this.#path, 'open the reserve for the ends of sessions', error)
    }
  }

  withoutReserve(): HistoryError {
    const text = 'the disk has no space for the ends of sessions; free some space'
    return new HistoryError(`session history ${this.#path}: ${text}`, { noRoom: 'the disk is full' })
  }

  reopen(): void {
    if (this.#isClosed) return
    if (this.#open instanceof HistoryDatabase) this.#open.close()
    this.#open = openDatabase(this.#path, this.#rooms, this.#maxBytes)
  }

  /** Never throws. */
  close(): void {
    this.#isClosed = true
    if (this.#open instanceof HistoryDatabase) this.#open.close()
  }
}

function openDatabase(
  path: string,
  rooms: Rooms,
  maxBytes: number | undefined,
): HistoryDatabase | HistoryError {
  try {
    return new HistoryDatabase(path, rooms, maxBytes)
  } catch (error) {
    if (hasNoRoom(error)) return error
    throw error
  }
}
