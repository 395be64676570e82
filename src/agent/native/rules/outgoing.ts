import type { OutputFilter } from '../../../policy/output-filter.ts'
import type { Row, ValueMasking } from '../../masking/values.ts'
import type { ConnectionRules } from './session-rules.ts'

/** A message of the server on its way to the client. */
export interface Outgoing {
  /** Rows wait for what follows while a broken rule may be in them; a heading does not. Everything else ends a text. */
  readonly kind: 'heading' | 'row' | 'other'
  /** What rules for output look at, as a program would print it. */
  readonly text?: Buffer
  /** What is masked. */
  readonly values?: Row
  /** Its bytes for the client. Called once, in order. @param masked undefined where nothing was masked */
  readonly bytes: (masked: readonly Buffer[] | undefined) => Buffer
}

/** What a row counts besides its values. */
const LEAST_ROW_BYTES = 32

/** The text of one result, which is searched as it comes. */
class JudgedText {
  readonly #begin: () => OutputFilter
  #filter: OutputFilter | undefined
  #bytes = 0

  constructor(begin: () => OutputFilter) {
    this.#begin = begin
  }

  /** Bytes of the text in which no broken rule can begin any more. */
  get cleared(): number {
    return this.#bytes - (this.#filter?.held ?? 0)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** @throws GuardrailViolation */
  async add(text: Buffer): Promise<void> {
    this.#filter ??= this.#begin()
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
 * What a server sends, judged by the rules for output and then masked, in its order. Rows wait for others: while they may
 * be the beginning of what a rule forbids (64 KiB at most), and for a call of Presidio.
 */
export class OutgoingMessages {
  readonly #text: JudgedText | undefined
  readonly #masking: ValueMasking | undefined
  /** Not judged to their end. `end` is where the message's text ends. */
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

  /** What may go out now. @throws OutputStopped */
  async take(): Promise<Buffer> {
    const isDue = this.#isDue || this.#judgedBytes >= (this.#masking?.batchBytes ?? 0)
    return isDue ? await this.takeJudged() : Buffer.alloc(0)
  }

  /** What was judged, although more could be masked together with it. @throws OutputStopped */
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
    return parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts)
  }

  async #judge(text: JudgedText, message: Outgoing): Promise<void> {
    if (message.text !== undefined) await text.add(message.text)
    const isOther = message.kind === 'other'
    if (isOther) await text.end()
    this.#unjudged.push({ message, end: message.kind === 'row' ? text.bytes : 0 })
    const waiting = isOther ? -1 : this.#unjudged.findIndex(({ end }) => end > text.cleared)
    for (const { message: passed } of this.#unjudged.splice(0, waiting < 0 ? Infinity : waiting))
      this.#pass(passed)
  }

  #pass(message: Outgoing): void {
    this.#judged.push(message)
    this.#judgedBytes += LEAST_ROW_BYTES
    for (const { bytes } of message.values ?? []) this.#judgedBytes += bytes.length
    this.#isDue ||= message.kind !== 'row'
  }
}
