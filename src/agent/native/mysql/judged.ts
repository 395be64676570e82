import { type ConnectionRules, MAX_WHOLE_BYTES, type Refusal } from '../rules/session-rules.ts'
import { JudgedStream } from '../rules/streams.ts'
import type { Awaited, Dialogue, Statement } from './dialogue.ts'
import { packet } from './login.ts'
import { type Cut, type Handling, PacketCutter } from './packet-cutter.ts'
import { COM } from './packets.ts'
import { binaryAt, isParameter, isText, textAt } from './values.ts'

const TOO_LONG = `statements and values of ${MAX_WHOLE_BYTES / 1024 / 1024} MiB and more cannot be judged by the rules of this connection, and are refused`
const NOT_SERVED =
  'this command of the protocol is refused on connections with rules: send a statement with the same effect'
const LONG_DATA =
  'values that are sent in pieces (COM_STMT_SEND_LONG_DATA) cannot be judged by the rules of this connection, and are refused'
const UNREADABLE =
  'the values of a prepared statement cannot be read, so the rules of this connection cannot judge them'

/** The form of each command's answer; undefined for commands without an answer. */
const ANSWERS: ReadonlyMap<number, Awaited['kind'] | undefined> = new Map<
  number,
  Awaited['kind'] | undefined
>([
  [COM.quit, undefined],
  [COM.initDb, 'packet'],
  [COM.query, 'query'],
  [COM.fieldList, 'fields'],
  [COM.statistics, 'packet'],
  [COM.ping, 'packet'],
  [COM.prepare, 'prepare'],
  [COM.execute, 'execute'],
  [COM.sendLongData, undefined],
  [COM.closeStatement, undefined],
  [COM.resetStatement, 'packet'],
  [COM.setOption, 'packet'],
  [COM.fetch, 'fetch'],
  [COM.resetConnection, 'packet'],
])

/** Commands whose content is one text. */
const TEXTS: ReadonlySet<number> = new Set([COM.query, COM.prepare, COM.initDb])

const STATEMENT_BYTES = 4
/** Length in bytes of command, statement, flags and iterations, before the parameters. */
const EXECUTE_HEAD_BYTES = 10

/**
 * Replaces a refused command by a statement that the server itself refuses, so that answers stay in order.
 */
export class JudgedCommands extends JudgedStream<Cut> {
  protected readonly cutter: PacketCutter
  readonly #rules: ConnectionRules
  readonly #dialogue: Dialogue
  /** Ids of the statements for which a part of a value was refused. */
  readonly #incomplete = new Set<number>()

  constructor(rules: ConnectionRules, dialogue: Dialogue) {
    super()
    this.#rules = rules
    this.#dialogue = dialogue
    this.cutter = new PacketCutter(rules, (...packet) => this.#handle(...packet))
  }

  #handle(command: number | undefined, length: number, goesOn: boolean): Handling {
    // Without rules for input, a statement may have any length.
    if (command === COM.query && !this.#rules.judgesInput) return 'piece'
    if (goesOn || !this.#rules.hasRoomFor(length)) return 'left out'
    return 'whole'
  }

  protected async judged({ handling, bytes, content, isFirst, packets }: Cut): Promise<Buffer> {
    if (handling === 'piece') {
      if (isFirst) this.#dialogue.expect({ kind: 'query', shift: 0 })
      return bytes
    }
    const command = content[0]
    const refusal =
      handling === 'left out' ? this.#rules.unjudged(TOO_LONG) : await this.judgeCommand(command, content)
    if (refusal === undefined) return this.#expected(command, content, bytes)
    if (command === COM.sendLongData) {
      // The server does not answer this command, so no refusal can be sent now. The execution that needs the
      // value is refused later. Executions of unknown statements are refused anyway.
      const statement = statementIn(content)
      if (statement !== undefined && this.#dialogue.statement(statement) !== undefined)
        this.#incomplete.add(statement)
      return Buffer.alloc(0)
    }
    this.#dialogue.expect({ kind: 'query', shift: packets - 1 })
    // The server refuses this statement: no SQL grammar accepts a closing bracket at the beginning.
    return packet(0, Buffer.from(`\x03)${this.#rules.wordFor(refusal)}`))
  }

  #expected(command: number | undefined, content: Buffer, bytes: Buffer): Buffer {
    const kind = ANSWERS.get(command ?? -1)
    const statement = statementIn(content)
    if (command === COM.closeStatement && statement !== undefined) this.#forget(statement)
    if (command === COM.resetStatement && statement !== undefined) this.#incomplete.delete(statement)
    if (command === COM.resetConnection) this.#dialogue.forgetAll()
    if (kind !== undefined)
      this.#dialogue.expect({ kind, shift: 0, ...(statement !== undefined && { statement }) })
    return bytes
  }

  #forget(statement: number): void {
    this.#incomplete.delete(statement)
    this.#dialogue.forget(statement)
  }

  async judgeCommand(command: number | undefined, content: Buffer): Promise<Refusal | undefined> {
    if (command === undefined || !ANSWERS.has(command)) return this.#rules.unjudged(NOT_SERVED)
    if (!this.#rules.judgesInput) return undefined
    if (command === COM.sendLongData) return this.#rules.unjudged(LONG_DATA)
    if (command === COM.execute) return await this.#judgeValues(content)
    return TEXTS.has(command) ? await this.#rules.judge([content.subarray(1)]) : undefined
  }

  async #judgeValues(content: Buffer): Promise<Refusal | undefined> {
    const id = statementIn(content)
    if (id !== undefined && this.#incomplete.has(id)) return this.#rules.unjudged(LONG_DATA)
    const statement = id === undefined ? undefined : this.#dialogue.statement(id)
    const values = statement && valuesIn(content, statement)
    if (values === undefined) return this.#rules.unjudged(UNREADABLE)
    const refusal = await this.#rules.judge(values.texts)
    // The server does not receive the types of a refused execution. It keeps the previous types, so the agent
    // keeps them, too.
    if (refusal === undefined && statement !== undefined) statement.types = values.types
    return refusal
  }
}

interface Values {
  readonly texts: readonly Buffer[]
  /** The types of the values, from this execution or an earlier one. */
  readonly types: Buffer | undefined
}

/** Returns the texts among the values; undefined if they cannot be read. */
function valuesIn(content: Buffer, { parameters, types: known }: Statement): Values | undefined {
  if (parameters === 0) return { texts: [], types: known }
  try {
    const at = EXECUTE_HEAD_BYTES + ((parameters + 7) >> 3) + 1
    // Servers treat every number except 0 as yes.
    const hasTypes = content.readUInt8(at - 1) !== 0
    const from = hasTypes ? at + 2 * parameters : at
    const types = hasTypes ? Buffer.from(content.subarray(at, from)) : known
    if (types?.length !== 2 * parameters) return undefined
    const texts = textsIn(content, from, types)
    return texts && { texts, types }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return undefined
  }
}

/**
 * Returns undefined if bytes follow the values, or if a value has a type that servers read in different ways.
 */
function textsIn(content: Buffer, from: number, types: Buffer): Buffer[] | undefined {
  const texts: Buffer[] = []
  let at = from
  for (let n = 0; n < types.length / 2; n += 1) {
    const isNull = ((content.readUInt8(EXECUTE_HEAD_BYTES + (n >> 3)) >> (n & 7)) & 1) === 1
    if (isNull) continue
    const type = types.readUInt8(2 * n)
    if (!isParameter(type)) return undefined
    const { raw, end } = binaryAt(content, at, type)
    if (isText(type)) texts.push(textAt(raw, 0).value ?? Buffer.alloc(0))
    at = end
  }
  return at === content.length ? texts : undefined
}

function statementIn(content: Buffer): number | undefined {
  return content.length > STATEMENT_BYTES && content[0] !== COM.query ? content.readUInt32LE(1) : undefined
}
