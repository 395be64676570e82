import type { Redaction } from '../../policy/redaction/redactor.ts'
import type { Chunk } from '../../runtime/output/child-output.ts'
import { OutputCap } from '../../runtime/output/output-cap.ts'
import type { TailMemory } from '../../runtime/output/output-tail.ts'
import type { OutputGate } from './output-gate.ts'
import { RedactedOutput } from './redacted-output.ts'

export interface OutputRules {
  /** Largest output in bytes, and the memory for its tail; undefined sends everything. */
  readonly cap: { readonly bytes: number; readonly tails: TailMemory } | undefined
  /** Paused while the client does not read. */
  readonly gate: OutputGate
  /** What to replace; undefined replaces nothing. */
  readonly redaction: Redaction | undefined
  /** True once the gateway drops what comes. The output is then read only to let the command end. */
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

/** One execution's output as it is sent. Captured output has its secrets replaced and is then capped. */
export class SentOutput implements AsyncIterable<Chunk>, Disposable {
  readonly #output: AsyncIterable<Chunk>
  readonly #rules: OutputRules
  readonly #cap: OutputCap | undefined
  #redacted: RedactedOutput | undefined
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
      redacted: this.#redacted?.redacted ?? 0,
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

  /** Reading slowly slows the command down. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk, void, undefined> {
    const { isUnwanted, overflowed } = this.#rules
    for await (const chunk of this.#shown()) {
      if (isUnwanted()) continue
      const live = this.#cap === undefined ? chunk : this.#cap.head(chunk)
      // Copied, because gRPC holds it until it is written. What the cap kept for the end has buffers of its own.
      if (live !== undefined) yield* this.#give({ stream: live.stream, data: Buffer.from(live.data) })
      if (this.#cap?.exceeded === true) overflowed()
    }
    for (const chunk of (isUnwanted() ? undefined : this.#cap?.finish()) ?? []) yield* this.#give(chunk)
  }

  #shown(): AsyncIterable<Chunk> {
    const { redaction } = this.#rules
    if (redaction === undefined || redaction.empty) return this.#counted()
    return (this.#redacted = new RedactedOutput(this.#counted(), redaction))
  }

  async *#counted(): AsyncGenerator<Chunk, void, undefined> {
    for await (const chunk of this.#output) {
      this.#read += chunk.data.length
      yield chunk
    }
  }

  async *#give(chunk: Chunk): AsyncGenerator<Chunk, void, undefined> {
    await this.#rules.gate.passed()
    if (this.#isAbandoned) return
    yield chunk
    this.#count(chunk)
  }

  /** Runs when the reader asks for more: then it was sent, or `abandon` was called. */
  #count({ data }: Chunk): void {
    if (this.#isAbandoned) return
    this.#sent += data.length
    this.#lastByte = data.at(-1)
  }
}
