import type { OutputFilter, OutputStopped } from '../../policy/output-filter.ts'
import type { Redaction, Redactor } from '../../policy/redaction/redactor.ts'
import type { Chunk } from '../../runtime/output/child-output.ts'
import { OutputCap } from '../../runtime/output/output-cap.ts'
import type { TailMemory } from '../../runtime/output/output-tail.ts'
import { FilteredOutput } from './filtered-output.ts'
import type { OutputGate } from './output-gate.ts'

export interface OutputRules {
  /** Largest output in bytes, and the memory for its tail; undefined sends everything. */
  readonly cap: { readonly bytes: number; readonly tails: TailMemory } | undefined
  /** Paused while the client does not read. */
  readonly gate: OutputGate
  /** What policies ask for, in this order; each makes the filter of one stream. */
  readonly filters: readonly (() => OutputFilter)[]
  /** What to replace after that; undefined replaces nothing. */
  readonly redaction: Redaction | undefined
  /** Called when a filter has stopped the output. From then on it has to be unwanted. */
  readonly stopped: (cause: OutputStopped) => void
  /** True once nothing more may be sent. The output is then read only to let the command end. */
  readonly isUnwanted: () => boolean
  /** Called for each piece of output beyond the cap. */
  readonly overflowed: () => void
}

/** Where the bytes of one output went. */
export interface OutputBytes {
  readonly read: number
  readonly sent: number
  readonly leftOut: number
  readonly redacted: number
}

export const NO_BYTES: OutputBytes = { read: 0, sent: 0, leftOut: 0, redacted: 0 }

/** One execution's output as it is sent: filtered as its policies ask. Captured output then has its secrets replaced
 * and is capped. */
export class SentOutput implements AsyncIterable<Chunk>, Disposable {
  readonly #output: AsyncIterable<Chunk>
  readonly #rules: OutputRules
  readonly #cap: OutputCap | undefined
  #redacted: FilteredOutput<Redactor> | undefined
  #isFiltered = false
  #isAbandoned = false
  #read = 0
  #sent = 0
  #lastByte: number | undefined

  constructor(output: AsyncIterable<Chunk>, rules: OutputRules) {
    this.#output = output
    this.#rules = rules
    this.#cap = rules.cap && new OutputCap(rules.cap.bytes, rules.cap.tails)
  }

  [Symbol.dispose](): void {
    this.#cap?.[Symbol.dispose]()
  }

  get bytes(): OutputBytes {
    return {
      read: this.#read,
      sent: this.#sent,
      leftOut: this.#cap?.omitted ?? 0,
      redacted: this.#redacted?.filters.reduce((sum, { redacted }) => sum + redacted, 0) ?? 0,
    }
  }

  /** Sends nothing more. The output is still read, so that the command can end. */
  abandon(): void {
    this.#isAbandoned = true
  }

  /** Starts the message on a new line, since the gateway puts it directly after the output. */
  onOwnLine(message: string): string {
    const glued = this.#lastByte !== undefined && this.#lastByte !== 0x0a
    return message !== '' && glued ? `\n${message}` : message
  }

  /** Reading slowly slows the command down. One generator, since each more costs 1 to 2 % of bulk output. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk, void, undefined> {
    const { isUnwanted, overflowed, gate } = this.#rules
    for await (const chunk of this.#shown()) {
      if (!this.#isFiltered) this.#read += chunk.data.length
      if (isUnwanted()) continue
      const live = this.#cap === undefined ? chunk : this.#cap.head(chunk)
      if (live !== undefined) {
        if (gate.isClosed) await gate.passed()
        if (!this.#isAbandoned) yield live
        this.#count(live)
      }
      if (this.#cap?.exceeded === true) overflowed()
    }
    if (!isUnwanted()) yield* this.#rest()
  }

  /** What the cap has kept for the end. */
  async *#rest(): AsyncGenerator<Chunk, void, undefined> {
    for (const chunk of this.#cap?.finish() ?? []) {
      await this.#rules.gate.passed()
      if (!this.#isAbandoned) yield chunk
      this.#count(chunk)
    }
  }

  /** The output behind its filters. Without any it is the command's own, since each layer costs time. */
  #shown(): AsyncIterable<Chunk> {
    const { filters, redaction, stopped } = this.#rules
    const redacts = redaction !== undefined && !redaction.empty
    if (!redacts && filters.length === 0) return this.#output
    this.#isFiltered = true
    let shown: AsyncIterable<Chunk> = this.#counted()
    for (const filter of filters) shown = new FilteredOutput(shown, filter, stopped)
    return redacts ? (this.#redacted = new FilteredOutput(shown, () => redaction.stream(), stopped)) : shown
  }

  /** Counts the bytes before anything in them is replaced. What nobody wants need not wait for a slow filter. */
  async *#counted(): AsyncGenerator<Chunk, void, undefined> {
    for await (const chunk of this.#output) {
      this.#read += chunk.data.length
      if (!this.#rules.isUnwanted()) yield chunk
    }
  }

  /** Runs when the reader asks for more: then it was sent, or `abandon` was called. */
  #count({ data }: Chunk): void {
    if (this.#isAbandoned) return
    this.#sent += data.length
    this.#lastByte = data.at(-1)
  }
}
