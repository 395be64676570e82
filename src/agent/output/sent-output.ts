import type { Redaction } from '../../policy/redaction/redactor.ts'
import type { Chunk } from '../../runtime/output/child-output.ts'
import { OutputCap } from '../../runtime/output/output-cap.ts'
import type { TailSpace } from '../../runtime/output/tail-space.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import { ConnectError } from '../../dial/connect-error.ts'
import type { OutputGate } from './output-gate.ts'
import { RedactedOutput } from './redacted-output.ts'
import type { SessionReply } from '../session/session-services.ts'

export interface OutputRules {
  /** Largest output in bytes; 0 streams everything. */
  readonly capBytes: number
  readonly tails: TailSpace
  /** Paused while the client does not read. */
  readonly gate: OutputGate
  /** undefined: nothing is replaced. */
  readonly redaction: Redaction | undefined
  /** Told with the first output. */
  readonly unmasked: string | undefined
  /** Called once the output is larger than the cap. */
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

/** Brings one execution's output to the gateway: secrets replaced, then capped, when it is captured. */
export class OutputForwarder implements Disposable {
  readonly #sid: SessionId
  readonly #reply: SessionReply
  readonly #rules: OutputRules
  readonly #cap: OutputCap | undefined
  #redacted: RedactedOutput | undefined
  #read = 0
  #sent = 0
  #lost = false
  #lastByte: number | undefined

  constructor(sid: SessionId, reply: SessionReply, rules: OutputRules) {
    this.#sid = sid
    this.#reply = reply
    this.#rules = rules
    this.#cap = rules.capBytes > 0 ? new OutputCap(rules.capBytes, rules.tails) : undefined
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

  /**
   * Each `await` waits for the gateway, or for a client that does not read: that is what slows a child down whose
   * output nobody takes. Without a gateway
   * the output is read on, so that the command can end.
   * @param unwanted true once the output is read only to let the child end
   */
  async forward(output: AsyncIterable<Chunk>, unwanted: () => boolean): Promise<void> {
    for await (const chunk of this.#shown(output)) {
      if (unwanted()) continue
      const live = this.#cap === undefined ? chunk : this.#cap.head(chunk)
      // A copy: gRPC holds it until it is written. What the cap kept for the end has buffers of its own.
      if (live !== undefined) await this.#send({ stream: live.stream, data: Buffer.from(live.data) })
      if (this.#cap?.exceeded === true) this.#rules.overflowed()
    }
    if (unwanted()) return
    for (const chunk of this.#cap?.finish() ?? []) await this.#send(chunk)
  }

  /** The gateway puts the close's message directly behind the output. */
  onOwnLine(message: string): string {
    const glued = this.#lastByte !== undefined && this.#lastByte !== 0x0a
    return message !== '' && glued ? `\n${message}` : message
  }

  #shown(output: AsyncIterable<Chunk>): AsyncIterable<Chunk> {
    const { redaction } = this.#rules
    if (redaction === undefined || redaction.empty) return this.#counted(output)
    return (this.#redacted = new RedactedOutput(this.#counted(output), redaction))
  }

  async *#counted(output: AsyncIterable<Chunk>): AsyncGenerator<Chunk, void, undefined> {
    for await (const chunk of output) {
      this.#read += chunk.data.length
      yield chunk
    }
  }

  /** hoop's gateway counts each packet that says it. */
  #unmasked(): { unmasked?: string } {
    const { unmasked } = this.#rules
    return unmasked === undefined || this.#sent > 0 ? {} : { unmasked }
  }

  async #send({ stream, data }: Chunk): Promise<void> {
    await this.#rules.gate.passed()
    if (this.#lost) return
    try {
      await this.#reply({ kind: stream, sid: this.#sid, data, ...this.#unmasked() })
      this.#sent += data.length
      this.#lastByte = data.at(-1)
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
      this.#lost = true
    }
  }
}
