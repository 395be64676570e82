import { OutputStopped } from '../../../policy/output-filter.ts'
import { type ConnectionRules, MAX_WHOLE_BYTES, type Refusal } from '../rules/session-rules.ts'
import { JudgedStream } from '../rules/streams.ts'
import { type Cut, type Handling, MessageCutter } from './message-cutter.ts'
import { HEAD_BYTES, messageOf, encodeCString } from './messages.ts'

const QUERY = 0x51
const PARSE = 0x50
const BIND = 0x42
const FUNCTION_CALL = 0x46
/**
 * Messages that are judged. They contain a statement or its values, or they choose the format of a result.
 */
const JUDGED: ReadonlySet<number> = new Set([QUERY, PARSE, BIND, FUNCTION_CALL])

const BINARY = 'a result in the binary format of PostgreSQL'
const ASK_FOR_TEXT = 'ask for the text format (JDBC: binaryTransfer=false)'
const UNREADABLE = 'this message cannot be read, so the rules of this connection cannot judge it'
const FUNCTION =
  'function calls without a statement (FunctionCall) are refused on connections with rules: use SELECT'
const TOO_LONG = `statements and values of more than ${MAX_WHOLE_BYTES / 1024 / 1024} MiB cannot be judged by the rules of this connection, and are refused`

/**
 * Replaces a refused message by a statement that the server itself refuses. As after any error, the server
 * then skips all messages up to Sync, and the transaction fails.
 */
export class JudgedMessages extends JudgedStream<Cut> {
  protected readonly cutter: MessageCutter
  readonly #rules: ConnectionRules

  constructor(rules: ConnectionRules) {
    super()
    this.#rules = rules
    this.cutter = new MessageCutter(rules, (type, length) => this.#handle(type, length))
  }

  #handle(type: number, length: number): Handling {
    const hasText = type === QUERY || type === PARSE
    if (!JUDGED.has(type) || (hasText && !this.#rules.judgesInput)) return 'piece'
    return length <= MAX_WHOLE_BYTES && this.#rules.hasRoomFor(length) ? 'whole' : 'left out'
  }

  protected async judged({ type, handling, bytes }: Cut): Promise<Buffer> {
    if (handling === 'piece') return bytes
    const refusal =
      handling === 'left out'
        ? this.#rules.unjudged(TOO_LONG)
        : await this.judgeMessage(type, bytes.subarray(HEAD_BYTES))
    if (refusal === undefined) return bytes
    const word = encodeCString(this.#rules.wordFor(refusal))
    // The replacement is a named statement, so that the client's unnamed statement is kept.
    return type === QUERY || type === FUNCTION_CALL
      ? messageOf(QUERY, word)
      : messageOf(PARSE, word, word, Buffer.alloc(2))
  }

  async judgeMessage(type: number, content: Buffer): Promise<Refusal | undefined> {
    if (type === FUNCTION_CALL) return this.#rules.unjudged(FUNCTION)
    const bind = type === BIND ? bindIn(content) : undefined
    const texts = bind?.values ?? (type === BIND ? undefined : statementIn(type, content))
    if (texts === undefined) return this.#rules.unjudged(UNREADABLE)
    return (bind?.isBinary === true ? this.#refuseBinary() : undefined) ?? (await this.#rules.judge(texts))
  }

  #refuseBinary(): Refusal | undefined {
    try {
      if (this.#rules.judgesOutput) this.#rules.cannotRead(BINARY)
      return undefined
    } catch (error) {
      if (!(error instanceof OutputStopped)) throw error
      return this.#rules.unjudged(`${error.message}: ${ASK_FOR_TEXT}`)
    }
  }
}

/** Returns the text of Query or Parse; undefined if the text has no end. */
function statementIn(type: number, content: Buffer): Buffer[] | undefined {
  const start = type === PARSE ? content.indexOf(0) + 1 : 0
  if (type === PARSE && start === 0) return undefined
  const end = content.indexOf(0, start)
  return end < 0 ? undefined : [content.subarray(start, end)]
}

interface Bind {
  /** A value is in the text format or in the binary format. A string has the same bytes in both formats. */
  readonly values: Buffer[]
  /** Whether the client asks for columns in the binary format. */
  readonly isBinary: boolean
}

/** Returns undefined if the message cannot be read as a whole. */
function bindIn(content: Buffer): Bind | undefined {
  try {
    const statement = content.indexOf(0) + 1
    const formats = content.indexOf(0, statement) + 1
    if (statement === 0 || formats === 0) return undefined
    let at = formats + 2 + 2 * content.readUInt16BE(formats)
    const values: Buffer[] = []
    const count = content.readUInt16BE(at)
    at += 2
    for (let n = 0; n < count; n += 1) {
      const length = content.readInt32BE(at)
      at += 4
      if (length === -1) continue
      if (length < 0 || at + length > content.length) return undefined
      values.push(content.subarray(at, at + length))
      at += length
    }
    const results = content.subarray(at)
    if (results.length !== 2 + 2 * results.readUInt16BE(0)) return undefined
    return { values, isBinary: results.subarray(2).some((byte) => byte !== 0) }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return undefined
  }
}
