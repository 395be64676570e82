import { MAX_ERROR_TEXT_BYTES, type StatementEnd } from './running.ts'

// Statements of native clients are in the output of their session, because people look for them there. `[1]
// select 1` begins a statement on connection 1, and `[1]: 0.4 ms, 1 row` ends it. Each line is an event of
// its own. The ends on a connection are in the order of its statements.

export interface RecordedStatement {
  readonly connection: string
  readonly query: string
  /** Seconds from the beginning of the session to the beginning of the statement. */
  readonly seconds: number
  /** Undefined while the statement runs, or if the statement was not measured. */
  end?: StatementEnd
  /** Set if the statement was not measured. */
  isLost?: true
}

const LOST = 'not measured from here on: too many statements wait for the server'

/** Clients choose the ids, so ids are encoded: no id can imitate the end of a mark. */
function mark(connection: string): string {
  return `[${encodeURIComponent(connection.toWellFormed())}]`
}

/** @param query with its secrets replaced */
export function beginLine(connection: string, query: string): string {
  return `${mark(connection)} ${query}\n`
}

export function endLine(connection: string, end: StatementEnd): string {
  return `${mark(connection)}: ${endText(end)}\n`
}

export function lostLine(connection: string): string {
  return `${mark(connection)}: ${LOST}\n`
}

function endText({ outcome, ms, rows, error, errorText }: StatementEnd): string {
  const counted = rows === undefined ? [] : [rows === 1 ? '1 row' : `${rows} rows`]
  const said = errorText === undefined ? '' : `: ${errorText}`
  const failed = error === undefined ? [] : [`error ${error}${said}`]
  const how = outcome === 'done' ? [] : [outcome]
  return [`${ms.toFixed(1)} ms`, ...counted, ...failed, ...how].join(', ')
}

const OUTCOMES = ['prepared', 'skipped', 'unfinished'] as const
const LINE = /^\[([^\]]*)\](:?) ([^]*)\n$/
const END =
  /^(\d+\.\d) ms(?:, (\d+) rows?)?(?:, error ([^,:]+)(?:: (.*))?)?(?:, (prepared|skipped|unfinished))?$/

/** Size of the statements of one range as JSON. The rest is another range. A statement has at most 0.1 MiB. */
const RANGE_BYTES = 1024 * 1024
/** The fields of a statement beside its text, its connection and the text of its error. */
const FIELDS_BYTES = 200
/** Until a statement ends, its error may take this much: the replacement of an invalid byte takes three. */
const ERROR_BYTES = 3 * MAX_ERROR_TEXT_BYTES

/**
 * Reads a range of statements from the events of a record, one event after the other. A range ends before its
 * limit when its statements are large.
 */
export class StatementReader {
  readonly asked: RecordedStatement[] = []
  readonly #from: number
  #until: number
  #count = 0
  #bytes = 0
  /**
   * The statements of each connection that have no end yet, oldest first. `lost` means that the connection is
   * not measured any more.
   */
  readonly #running = new Map<string, (RecordedStatement | undefined)[] | 'lost'>()
  /** Statements in `asked` that have no end yet. */
  #unended = 0

  constructor(offset: number, limit: number) {
    this.#from = offset
    this.#until = offset + limit
  }

  get hasMore(): boolean {
    return this.#count > this.#until
  }

  /** Number of all statements that were read, also outside of the range. */
  get count(): number {
    return this.#count
  }

  /** True if no later event can change the result. */
  get isDone(): boolean {
    return this.hasMore && this.#unended === 0
  }

  add(seconds: number, text: string): void {
    const [, connection, colon, rest = ''] = LINE.exec(text) ?? []
    if (connection === undefined) return
    if (colon === '') this.#begin({ connection, query: rest, seconds })
    else if (rest === LOST) this.#lose(connection)
    else this.#end(connection, rest)
  }

  #begin(statement: RecordedStatement): void {
    const running = this.#running.get(statement.connection) ?? []
    const isAsked = this.#count >= this.#from && this.#count < this.#until && this.#fits(statement)
    this.#count += 1
    if (isAsked) this.asked.push(statement)
    if (running === 'lost') {
      statement.isLost = true
      return
    }
    if (isAsked) this.#unended += 1
    this.#running.set(statement.connection, running)
    running.push(isAsked ? statement : undefined)
  }

  /** Ends the range if the statement has no room in it. */
  #fits({ connection, query }: RecordedStatement): boolean {
    this.#bytes += Buffer.byteLength(JSON.stringify({ connection, query })) + FIELDS_BYTES + ERROR_BYTES
    if (this.#bytes <= RANGE_BYTES || this.asked.length === 0) return true
    this.#until = this.#count
    return false
  }

  #lose(connection: string): void {
    const running = this.#running.get(connection)
    this.#running.set(connection, 'lost')
    if (running === undefined || running === 'lost') return
    for (const statement of running) {
      if (statement === undefined) continue
      statement.isLost = true
      this.#unended -= 1
    }
  }

  #end(connection: string, text: string): void {
    const running = this.#running.get(connection)
    const statement = running === 'lost' ? undefined : running?.shift()
    if (statement === undefined) return
    this.#unended -= 1
    const [, ms, rows, error, errorText, outcome] = END.exec(text) ?? []
    this.#bytes -= ERROR_BYTES - Buffer.byteLength(JSON.stringify(errorText ?? ''))
    statement.end = {
      outcome: OUTCOMES.find((one) => one === outcome) ?? 'done',
      ms: Number(ms),
      rows: rows === undefined ? undefined : Number(rows),
      error,
      errorText,
    }
  }
}
