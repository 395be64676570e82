import { HIDDEN } from '../../../wire/messages/hidden-passwords.ts'
import { cutStatement } from '../../../wire/messages/statement-text.ts'

/** `Text` is what the record keeps of the server's text about an error. */
export interface StatementEnd<Text = string> {
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
  readonly errorText: Text | undefined
}

/** What the server said about the error. */
export interface ErrorText {
  readonly text: string
  /** Whether the end of the text is missing. */
  readonly isCut: boolean
}

/** A text of MySQL has at most 512 bytes. */
export const MAX_ERROR_TEXT_BYTES = 512
/** Stands in the record at the place of the rest of a longer text. */
export const CUT_ERROR = `... (cut after ${MAX_ERROR_TEXT_BYTES} bytes)`
/** The code and the text are within this many bytes of an error of either server. */
export const MAX_ERROR_BYTES = 1024

/** @param isWhole whether `bytes` has all of the text */
export function errorTextOf(bytes: Buffer, isWhole: boolean): ErrorText | undefined {
  const isCut = !isWhole || bytes.length > MAX_ERROR_TEXT_BYTES
  const text = bytes.toString('utf8', 0, MAX_ERROR_TEXT_BYTES)
  // The cut may be within a character.
  return text === '' ? undefined : { text: isCut ? text.replace(/\ufffd+$/, '') : text, isCut }
}

/** Records the statements of one connection and their ends, in the same order. */
export interface StatementNotes {
  began(text: string): void
  ended(end: StatementEnd<ErrorText>): void
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
  errorText: ErrorText | undefined
  /** Whether a password was replaced, or may be in the part that was cut off. The server's error may quote it. */
  hidesPassword = false
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
    item.hidesPassword = text.includes(HIDDEN) || cutStatement(text) !== undefined
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
    if (item.isEmpty) return
    const { rows, error, errorText: said, hidesPassword } = item
    this.#notes.ended({ outcome, ms, rows, error, errorText: hidesPassword ? undefined : said })
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
