import { StatementText } from './statement-text.ts'

/** A startup packet has no type; its length counts itself. */
const STARTUP_HEAD_BYTES = 8
const HEAD_BYTES = 5
/** What a call of a function begins with: the function's number. */
const FUNCTION_BYTES = 4
const QUERY = 0x51
const PARSE = 0x50
const FUNCTION_CALL = 0x46
/** Requests for encryption and for a cancel, which come before a startup packet or in its place. */
const ENCRYPTION_REQUESTS: ReadonlySet<number> = new Set([80_877_103, 80_877_104])

/**
 * Finds the statements in what one client of PostgreSQL sends: the texts of Query and Parse, and the numbers of functions
 * that are called without a statement. Values, data of COPY and the startup packet are skipped. Keeps at most one statement's beginning.
 */
export class PostgresStatements {
  #isStarted = false
  /** The head of the current message, as far as it has come. */
  #head = Buffer.alloc(0)
  #type = 0
  /** Bytes of its content that are still to come. */
  #left = 0
  readonly #text = new StatementText()
  #contentBytes = 0
  /** Whether the name of a prepared statement, which comes before its text, may go on. */
  #isInName = false

  /** @returns the statements that these bytes end */
  push(bytes: Buffer): string[] {
    const found: string[] = []
    let at = 0
    while (at < bytes.length) {
      if (this.#left === 0) at = this.#takeHead(bytes, at)
      const taken = Math.min(this.#left, bytes.length - at)
      this.#keep(bytes.subarray(at, at + taken))
      at += taken
      this.#left -= taken
      if (this.#left === 0 && this.#contentBytes > 0) this.#end(found)
    }
    return found
  }

  /** @returns where the content begins */
  #takeHead(bytes: Buffer, from: number): number {
    const size = this.#isStarted ? HEAD_BYTES : STARTUP_HEAD_BYTES
    const taken = bytes.subarray(from, from + size - this.#head.length)
    this.#head = Buffer.concat([this.#head, taken])
    if (this.#head.length < size) return bytes.length
    const length = this.#head.readUInt32BE(this.#isStarted ? 1 : 0)
    this.#type = this.#isStarted ? (this.#head[0] ?? 0) : 0
    // A length that cannot be ends the connection at the agent.
    this.#left = Math.max(0, this.#isStarted ? length - 4 : length - STARTUP_HEAD_BYTES)
    this.#contentBytes = 0
    this.#isInName = this.#type === PARSE
    if (!this.#isStarted) this.#isStarted = !ENCRYPTION_REQUESTS.has(this.#head.readUInt32BE(4))
    this.#head = Buffer.alloc(0)
    return from + taken.length
  }

  #keep(content: Buffer): void {
    this.#contentBytes += content.length
    if (this.#type !== QUERY && this.#type !== PARSE && this.#type !== FUNCTION_CALL) return
    // A name can be as long as its client likes, and must not take the room of the text.
    const nameEnd = this.#isInName ? content.indexOf(0) : -1
    if (this.#isInName && nameEnd < 0) return
    this.#isInName = false
    this.#text.add(content.subarray(nameEnd + 1))
  }

  #end(found: string[]): void {
    const { kept } = this.#text
    if (this.#type === FUNCTION_CALL) found.push(...calledFunction(kept))
    else {
      const end = kept.indexOf(0)
      const text = kept.toString('utf8', 0, end < 0 ? kept.length : end)
      if (text !== '') found.push(this.#text.said(text, end >= 0))
    }
    this.#text.clear()
    this.#contentBytes = 0
  }
}

/** The arguments are values, and not recorded. */
function calledFunction(kept: Buffer): string[] {
  return kept.length < FUNCTION_BYTES ? [] : [`(call of the function with oid ${kept.readUInt32BE(0)})`]
}
