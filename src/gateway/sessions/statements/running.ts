export interface StatementEnd {
  /**
   * `prepared`: the statement was prepared, but not executed. `skipped`: it did not run, because an earlier
   * statement had failed. `unfinished`: the connection ended before the statement's answer.
   */
  readonly outcome: 'done' | 'prepared' | 'skipped' | 'unfinished'
  readonly ms: number
  /** Rows returned or changed; undefined if the server reports no number. */
  readonly rows: number | undefined
  /** The SQLSTATE for PostgreSQL, the error number for MySQL. */
  readonly error: string | undefined
}

/** Records the statements of one connection and their ends, in the same order. */
export interface StatementNotes {
  began(text: string): void
  ended(end: StatementEnd): void
  /**
   * Called when measuring stops. After this call, `ended` is never called: waiting statements and later
   * statements stay without an end in the record.
   */
  lost(): void
}

/** Maximum number of waiting statements. A driver that does not wait for answers sends some hundreds. */
const MAX_OF_CONNECTION = 16_384
const MAX_OF_SESSION = 65_536

/** Waiting statements of all connections of one session. */
export interface SharedCount {
  waiting: number
}

/** A statement that has no end yet. */
export class Statement {
  /** When the statement was sent, in ms of `performance.now()`. */
  readonly since: number
  rows: number | undefined
  error: string | undefined
  /** Connection pools send empty statements to check that the server responds. These are not recorded. */
  isEmpty = false

  constructor(since: number) {
    this.since = since
  }

  addRows(more: number | undefined): void {
    if (more !== undefined) this.rows = (this.rows ?? 0) + more
  }
}

/**
 * Queue of statements that wait for answers. Between the statements it has marks, for example PostgreSQL's
 * Syncs. If the queue is full, measuring stops.
 */
class Running<Item extends Statement, Mark> {
  readonly #notes: StatementNotes
  readonly #shared: SharedCount
  #queue: (Item | Mark)[] = []
  #lastEnd = 0
  #isLost = false

  constructor(notes: StatementNotes, shared: SharedCount) {
    this.#notes = notes
    this.#shared = shared
  }

  get head(): Item | Mark | undefined {
    return this.#queue[0]
  }

  get isLost(): boolean {
    return this.#isLost
  }

  begin(text: string, item: Item): void {
    item.isEmpty = text === ''
    if (!item.isEmpty) this.#notes.began(text)
    this.push(item)
  }

  push(one: Item | Mark): void {
    if (this.#isLost) return
    if (this.#queue.length >= MAX_OF_CONNECTION || this.#shared.waiting >= MAX_OF_SESSION) return this.lose()
    this.#queue.push(one)
    this.#shared.waiting += 1
  }

  drop(): void {
    if (this.#queue.shift() !== undefined) this.#shared.waiting -= 1
  }

  remove(test: (one: Item | Mark) => boolean): void {
    const left = this.#queue.filter((one) => !test(one))
    this.#shared.waiting -= this.#queue.length - left.length
    this.#queue = left
  }

  /** Ends the first statement. Its time does not include the answers to earlier statements. */
  end(item: Item, outcome: StatementEnd['outcome'] = 'done'): void {
    const now = performance.now()
    const ms = now - Math.max(item.since, this.#lastEnd)
    this.#lastEnd = now
    this.drop()
    if (!item.isEmpty) this.#notes.ended({ outcome, ms, rows: item.rows, error: item.error })
  }

  /** Stops measuring, because answers can no longer be assigned to statements. */
  lose(): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#notes.lost()
    this.remove(() => true)
  }

  /** Ends all statements, because the connection is over. */
  close(): void {
    for (let { head } = this; head !== undefined; { head } = this)
      if (head instanceof Statement) this.end(head, head.error === undefined ? 'unfinished' : 'done')
      else this.drop()
  }
}

/** Measures the statements of one connection: reads the messages of client and server, and counts rows. */
export abstract class Measure<Request, Item extends Statement, Mark> {
  protected readonly running: Running<Item, Mark>
  protected abstract readonly requests: { readonly push: (bytes: Buffer) => Iterable<Request> }

  constructor(notes: StatementNotes, shared: SharedCount) {
    this.running = new Running(notes, shared)
  }

  /** @param now in ms of `performance.now()` */
  protected abstract ask(request: Request, now: number): void

  protected abstract answer(bytes: Buffer): void

  fromClient(bytes: Buffer): void {
    const now = performance.now()
    for (const request of this.requests.push(bytes)) this.ask(request, now)
  }

  fromServer(bytes: Buffer): void {
    if (!this.running.isLost) this.answer(bytes)
  }

  close(): void {
    this.running.close()
  }
}
