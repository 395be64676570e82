import type { RecordedOutput } from '../rest/sessions.ts'

/** Bytes. What is longer is output. */
const LONGEST = 4096
/** Go's words for an error of gRPC. */
const PREFIX = /rpc error: code = \w+ desc = $/
const WHOLE = /rpc error: code = \w+ desc = ([^\n]*)$/

/**
 * The output of a session that has no exit code. Gateways end its record with the reason: hoop's with that alone, the
 * embedded one with gRPC's words before it. It is no output.
 */
export class ReasonAtEnd {
  #reason: string | undefined

  /** @param known what the gateway has said before, where there was an answer */
  constructor(known: string | undefined) {
    this.#reason = known
  }

  /** Of an execution that was followed it is known when its output has been read. */
  get reason(): string | undefined {
    return this.#reason
  }

  async *without(output: RecordedOutput): AsyncGenerator<Buffer, void, undefined> {
    const length = Math.max(LONGEST, 2 * Buffer.byteLength(this.#reason ?? ''))
    let held: Buffer = Buffer.alloc(0)
    for await (const piece of output) {
      held = Buffer.concat([held, piece])
      const sure = held.length - length
      if (sure <= 0) continue
      yield held.subarray(0, sure)
      held = held.subarray(sure)
    }
    const end = this.#endOfOutput(held)
    if (end > 0) yield held.subarray(0, end)
  }

  #endOfOutput(held: Buffer): number {
    // A character for each byte: an index is an offset.
    const text = held.toString('latin1')
    if (this.#reason === undefined) return this.#find(held, text)
    const reason = Buffer.from(this.#reason).toString('latin1')
    return text.endsWith(reason)
      ? text.slice(0, text.length - reason.length).replace(PREFIX, '').length
      : held.length
  }

  #find(held: Buffer, text: string): number {
    const found = WHOLE.exec(text)
    if (found === null) return held.length
    this.#reason = held.subarray(held.length - (found[1] ?? '').length).toString()
    return found.index
  }
}
