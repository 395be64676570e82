import { joined } from '../../../basics/joined.ts'
import { type OutputFilter, OutputStopped } from '../../../policy/output-filter.ts'
import type { Row, ValueMasking } from '../../masking/values.ts'
import type { ConnectionRules } from './session-rules.ts'

export interface Outgoing {
  /**
   * While rows may contain part of a forbidden text, they wait for later messages. A message of another kind
   * ends the text.
   */
  readonly kind: 'heading' | 'row' | 'other'
  /** The text for the output rules, as a program would print it. */
  readonly text?: Buffer
  readonly values?: Row
  /** Called once, in order. @param masked the values after masking; undefined if nothing was masked */
  readonly bytes: (masked: readonly Buffer[] | undefined) => Buffer
}

/**
 * Maximum number of rows that may wait to be judged. A server can send any number of empty rows, which have no
 * bytes for another bound to count.
 */
const MAX_UNJUDGED_ROWS = 64 * 1024
const TOO_MANY = `the result has more than ${MAX_UNJUDGED_ROWS.toLocaleString('en')} empty rows in sequence, so the guardrail rules of this connection cannot check it`

/** Bytes that each row counts in addition to its values. */
const ROW_OVERHEAD_BYTES = 32

class JudgedText {
  readonly #newFilter: () => OutputFilter
  #filter: OutputFilter | undefined
  #bytes = 0

  constructor(newFilter: () => OutputFilter) {
    this.#newFilter = newFilter
  }

  /** Number of bytes at the beginning of the text that are checked completely. */
  get cleared(): number {
    return this.#bytes - (this.#filter?.held ?? 0)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** @throws GuardrailViolation */
  async add(text: Buffer): Promise<void> {
    this.#filter ??= this.#newFilter()
    await this.#filter.push(text)
    this.#bytes += text.length
  }

  /** @throws GuardrailViolation */
  async end(): Promise<void> {
    await this.#filter?.end()
    this.#filter = undefined
    this.#bytes = 0
  }
}

/**
 * Judges the messages of a server by the rules for output, and then masks them, in order. Rows wait if they
 * may be the beginning of forbidden text (64 KiB at most), or if they can share a call of Presidio with later
 * rows.
 */
export class OutgoingMessages {
  readonly #text: JudgedText | undefined
  readonly #masking: ValueMasking | undefined
  /** `end` is where the message's text ends in the judged text, and 0 for a message that is no row. */
  #unjudged: { readonly message: Outgoing; readonly end: number }[] = []
  #judged: Outgoing[] = []
  #judgedBytes = 0
  #isDue = false

  constructor(rules: ConnectionRules) {
    const { outputRules, values } = rules
    this.#text = outputRules && new JudgedText(outputRules)
    this.#masking = values
  }

  /** @throws GuardrailViolation */
  add(message: Outgoing): Promise<void> | undefined {
    if (this.#text !== undefined) return this.#judge(this.#text, message)
    this.#pass(message)
    return undefined
  }

  /** Returns the bytes that may be sent now. @throws OutputStopped */
  async take(): Promise<Buffer> {
    const isDue = this.#isDue || this.#judgedBytes >= (this.#masking?.batchBytes ?? 0)
    return isDue ? await this.takeJudged() : Buffer.alloc(0)
  }

  /** Returns all judged messages, also few that a call of Presidio masks alone. @throws OutputStopped */
  async takeJudged(): Promise<Buffer> {
    const messages = this.#judged
    this.#judged = []
    this.#judgedBytes = 0
    this.#isDue = false
    const rows = messages.flatMap(({ values }) => (values === undefined ? [] : [values]))
    const masked = rows.length === 0 ? [] : ((await this.#masking?.mask(rows)) ?? [])
    let row = 0
    const parts = messages.map(({ values, bytes }) => {
      const own = values === undefined ? undefined : masked[row++]
      return bytes(own?.some((value, at) => value !== values?.[at]?.bytes) === true ? own : undefined)
    })
    return joined(parts)
  }

  async #judge(text: JudgedText, message: Outgoing): Promise<void> {
    if (message.text !== undefined) await text.add(message.text)
    const isOther = message.kind === 'other'
    if (isOther) await text.end()
    this.#unjudged.push({ message, end: message.kind === 'row' ? text.bytes : 0 })
    if (this.#unjudged.length > MAX_UNJUDGED_ROWS) throw new OutputStopped('guardrails', TOO_MANY)
    const firstWaiting = this.#unjudged.findIndex(({ end }) => !isOther && end > text.cleared)
    const passed = firstWaiting < 0 ? this.#unjudged.splice(0) : this.#unjudged.splice(0, firstWaiting)
    for (const { message: one } of passed) this.#pass(one)
  }

  #pass(message: Outgoing): void {
    this.#judged.push(message)
    this.#judgedBytes += ROW_OVERHEAD_BYTES
    for (const { bytes } of message.values ?? []) this.#judgedBytes += bytes.length
    this.#isDue ||= message.kind !== 'row'
  }
}
