import { PostgresStatements, type PostgresRequest } from '../../../wire/messages/postgres-statements.ts'
import { errorTextOf, MAX_ERROR_BYTES, Measure, Statement, type ErrorText } from './running.ts'

const HEAD_BYTES = 5
/** Only this many bytes of a CommandComplete are read. The number of rows is among them. */
const MAX_COMPLETE_BYTES = 256
/** Maximum number of remembered portals: a client that closes no portals must not fill the memory. */
const MAX_PORTALS = 1000

const type = {
  parseComplete: 0x31, // 1
  commandComplete: 0x43, // C
  dataRow: 0x44, // D
  error: 0x45, // E
  copyIn: 0x47, // G
  emptyQuery: 0x49, // I
  copyBoth: 0x57, // W
  readyForQuery: 0x5a, // Z
  portalSuspended: 0x73, // s
} as const
/** The number of bytes that are read of messages of a type. No content of other types is read. */
const MAX_CONTENT_BYTES: ReadonlyMap<number, number> = new Map([
  [type.commandComplete, MAX_COMPLETE_BYTES],
  [type.error, MAX_ERROR_BYTES],
])

class PostgresStatement extends Statement {
  /** True if the statement was sent in a Query message. Such a statement ends with ReadyForQuery. */
  readonly isQuery: boolean
  /** Number of the Parse message on this connection; 0 without a Parse message. */
  readonly parse: number
  isExecuted = false

  constructor(since: number, { isQuery = false, parse = 0 } = {}) {
    super(since)
    this.isQuery = isQuery
    this.parse = parse
  }
}

/** A Sync, with the number of Parse messages before it. */
interface Sync {
  readonly parses: number
}

function isExtended(one: PostgresStatement | Sync | undefined): one is PostgresStatement {
  return one instanceof PostgresStatement && !one.isQuery
}

export class PostgresMeasure extends Measure<PostgresRequest, PostgresStatement, Sync> {
  protected readonly requests = new PostgresStatements()
  readonly #answers = new AnswerScanner((kind, content) => this.#answered(kind, content))
  /** Maps the name of each portal to the name of its statement. */
  readonly #portals = new Map<string, string>()
  /** Statements that were parsed since the last Sync and are not executed yet, by name. */
  readonly #parsed = new Map<string, PostgresStatement>()
  #parses = 0
  #parsesAnswered = 0
  /** True if the server reads data of a COPY, and skips Syncs until the COPY ends. */
  #isCopying = false
  /** True if a Sync may be in the queue. */
  #hasSyncs = false
  /** Rows in the current answer. For a portal that is read in parts, no message reports their number. */
  #dataRows = 0

  protected answer(bytes: Buffer): void {
    if (!this.#answers.scan(bytes)) this.running.lose()
  }

  protected ask(request: PostgresRequest, now: number): void {
    switch (request.kind) {
      case 'encryption':
        return this.#answers.skip(1)
      case 'query':
        return this.running.begin(request.text, new PostgresStatement(now, { isQuery: true }))
      case 'parse': {
        const statement = new PostgresStatement(now, { parse: (this.#parses += 1) })
        this.#parsed.delete(request.name)
        this.running.begin(request.text, statement)
        if (!this.running.isLost) this.#parsed.set(request.name, statement)
        return undefined
      }
      case 'bind':
        if (this.#portals.size >= MAX_PORTALS) this.#portals.clear()
        this.#portals.set(request.portal, request.name)
        return undefined
      case 'execute':
        return this.#execute(this.#portals.get(request.portal), now)
      case 'copy-end':
        this.#isCopying = false
        return undefined
      case 'sync':
        this.#parsed.clear()
        if (this.#isCopying) return
        this.running.push({ parses: this.#parses })
        this.#hasSyncs = true
    }
  }

  /**
   * Removes all Syncs from the queue, because the server skips Syncs while it reads data of a COPY. This
   * reads the whole queue. Without `#hasSyncs`, each message of an agent could cause such a search.
   */
  #removeSyncs(): void {
    if (this.#hasSyncs) this.running.remove((one) => !(one instanceof PostgresStatement))
    this.#hasSyncs = false
  }

  /** Marks a statement that was parsed since the last Sync as executed. Otherwise begins a new statement. */
  #execute(name: string | undefined, now: number): void {
    const parsed = name === undefined ? undefined : this.#parsed.get(name)
    if (parsed !== undefined) {
      parsed.isExecuted = true
      // Statements end in the order of their Parse messages. If an earlier statement is executed after this
      // one, that Execute counts as a new statement.
      for (const [other, statement] of this.#parsed) {
        this.#parsed.delete(other)
        if (statement === parsed) return
      }
      return
    }
    const statement = new PostgresStatement(now)
    statement.isExecuted = true
    this.running.begin(name ? `(execute ${name})` : '(execute)', statement)
  }

  #answered(kind: number, content: Buffer): void {
    switch (kind) {
      case type.parseComplete:
        this.#parsesAnswered += 1
        return
      case type.dataRow:
        this.#dataRows += 1
        return
      case type.commandComplete:
      case type.emptyQuery:
        return this.#completed(kind === type.commandComplete ? rowsIn(content) : undefined)
      case type.portalSuspended:
        return this.#completed(this.#dataRows)
      case type.copyIn:
      case type.copyBoth:
        this.#isCopying = true
        return this.#removeSyncs()
      case type.error:
        return this.#failed(content)
      case type.readyForQuery:
        return this.#ready()
    }
  }

  #completed(rows: number | undefined): void {
    this.#dataRows = 0
    const head = this.#first()
    head?.addRows(rows)
    if (head?.isExecuted === true) this.running.end(head)
  }

  #failed(content: Buffer): void {
    this.#dataRows = 0
    this.#isCopying = false
    const head = this.#first()
    if (head === undefined) return
    head.errorText ??= head.error === undefined ? textIn(content) : undefined
    head.error ??= codeIn(content)
    if (head.isQuery) return
    this.running.end(head)
    // The server skips all statements up to the next Sync.
    for (let { head: next } = this.running; isExtended(next); { head: next } = this.running)
      this.running.end(next, 'skipped')
  }

  #ready(): void {
    let { head } = this.running
    for (; head instanceof PostgresStatement; { head } = this.running) {
      this.running.end(head, head.isQuery ? 'done' : head.isExecuted ? 'skipped' : 'prepared')
      if (head.isQuery) return
    }
    if (head !== undefined) this.#parsesAnswered = head.parses
    this.running.drop()
  }

  /** Returns the statement that the server works on, and ends earlier statements that were only prepared. */
  #first(): PostgresStatement | undefined {
    for (let { head } = this.running; head instanceof PostgresStatement; { head } = this.running) {
      if (head.isQuery || head.isExecuted || head.parse > this.#parsesAnswered) return head
      this.running.end(head, 'prepared')
    }
    return undefined
  }
}

/** Returns the number of rows in texts like `INSERT 0 5` and `SELECT 3`, and undefined for `BEGIN`. */
function rowsIn(content: Buffer): number | undefined {
  const [, rows] = /^[A-Z ]+(?: \d+)? (\d{1,15})\0/.exec(content.toString('latin1')) ?? []
  return rows === undefined ? undefined : Number(rows)
}

/** Returns the field C of an ErrorResponse, and `?` if this field is missing. */
function codeIn(content: Buffer): string {
  return /(?:^|\0)C([0-9A-Z]{5})\0/.exec(content.toString('latin1'))?.[1] ?? '?'
}

/**
 * Returns the field M of an ErrorResponse. Other fields are not recorded: the detail may have a whole row. The
 * fields before M are short.
 */
function textIn(content: Buffer): ErrorText | undefined {
  const field = content.indexOf('\0M')
  if (field < 0) return undefined
  const end = content.indexOf(0, field + 2)
  return errorTextOf(content.subarray(field + 2, end < 0 ? content.length : end), end >= 0)
}

/** Finds messages in bytes that arrive in any pieces, and reports the beginning of each. */
class AnswerScanner {
  readonly #found: (type: number, content: Buffer) => void
  /** The received bytes of a message whose beginning has not arrived completely. */
  #rest = Buffer.alloc(0)
  #left = 0
  #skipped = 0

  constructor(found: (type: number, content: Buffer) => void) {
    this.#found = found
  }

  /** Ignores the next bytes, because they belong to no message. */
  skip(bytes: number): void {
    this.#skipped += bytes
  }

  /** @returns false for bytes that are not messages */
  scan(bytes: Buffer): boolean {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = Math.min(this.#skipped, all.length)
    this.#skipped -= at
    for (;;) {
      const passed = Math.min(this.#left, all.length - at)
      this.#left -= passed
      at += passed
      if (all.length - at < HEAD_BYTES) break
      const length = all.readUInt32BE(at + 1) - 4
      if (length < 0) return false
      const kind = all[at] ?? 0
      const shown = Math.min(length, MAX_CONTENT_BYTES.get(kind) ?? 0)
      if (all.length - at < HEAD_BYTES + shown) break
      this.#found(kind, all.subarray(at + HEAD_BYTES, at + HEAD_BYTES + shown))
      this.#left = length
      at += HEAD_BYTES
    }
    // Copied, so that the whole packet does not stay in memory.
    this.#rest = Buffer.from(all.subarray(at))
    return true
  }
}
