import type { RecordedOutput } from '../rest/sessions.ts'

/** Longest reason in bytes. Anything longer is output. */
const LONGEST = 4096
/** A gRPC error as Go prints it. */
const PREFIX = /rpc error: code = \w+ desc = $/
const WHOLE = /rpc error: code = \w+ desc = ([^\n]*)$/

/**
 * The output of a session without an exit code. Gateways append the reason to its record: hoop's just the reason, the
 * embedded one with gRPC's prefix. This separates it from the output.
 */
export class ReasonAtEnd {
  #reason: string | undefined

  /** @param known the reason that the gateway has given before, if it has answered */
  constructor(known: string | undefined) {
    this.#reason = known
  }

  /** For a followed execution it is known after the output was read. */
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
    // One character for each byte, so that an index is an offset.
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
