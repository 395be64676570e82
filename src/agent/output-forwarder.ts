import type { Chunk } from '../runtime/child-output.ts'
import { OutputCap } from '../runtime/output-cap.ts'
import type { MemoryBudget } from '../runtime/memory-budget.ts'
import type { SessionId } from '../wire/message.ts'
import type { Reply } from './session-services.ts'

/** Brings one execution's output to the gateway, capped when it is captured. */
export class OutputForwarder implements Disposable {
  readonly #sid: SessionId
  readonly #reply: Reply
  readonly #cap: OutputCap | undefined
  #lastByte: number | undefined

  /** @param capBytes 0 streams everything */
  constructor(sid: SessionId, reply: Reply, capBytes: number, tails: MemoryBudget) {
    this.#sid = sid
    this.#reply = reply
    this.#cap = capBytes > 0 ? new OutputCap(capBytes, tails) : undefined
  }

  [Symbol.dispose](): void {
    this.#cap?.[Symbol.dispose]()
  }

  get truncatedBytes(): number {
    return this.#cap?.omitted ?? 0
  }

  /**
   * Each `await` waits for the gateway: that is what slows a child down whose output nobody takes.
   * @param unwanted true once the output is read only to let the child end
   */
  async forward(output: AsyncIterable<Chunk>, unwanted: () => boolean): Promise<void> {
    for await (const chunk of output) {
      if (unwanted()) continue
      const live = this.#cap === undefined ? chunk : this.#cap.head(chunk)
      // A copy: gRPC holds it until it is written.
      if (live !== undefined) await this.#send({ stream: live.stream, data: Buffer.from(live.data) })
    }
    if (unwanted()) return
    for (const chunk of this.#cap?.finish() ?? []) await this.#send(chunk)
  }

  /** The gateway puts the close's message directly behind the output. */
  onOwnLine(message: string): string {
    const glued = this.#lastByte !== undefined && this.#lastByte !== 0x0a
    return message !== '' && glued ? `\n${message}` : message
  }

  async #send({ stream, data }: Chunk): Promise<void> {
    this.#lastByte = data.at(-1)
    await this.#reply({ kind: stream, sid: this.#sid, data })
  }
}
