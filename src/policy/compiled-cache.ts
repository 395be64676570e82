/** What was compiled, and about how much memory it takes. That may grow while it is used. */
export interface Compiled {
  readonly bytes: number
}

/** Connections that are used in turn. */
const MOST = 8
/** Bytes of memory for all that is kept. What sessions use lives as long as they do, also when it is not kept here. */
const MOST_BYTES = 16 * 1024 * 1024
/** A longer payload is compiled each time: rules that people write have some KiB. */
const LONGEST_PAYLOAD = 256 * 1024

/** Keeps what was compiled last, by the bytes that it was compiled from, for all sessions of one agent. */
export class CompiledCache<Rules extends Compiled> {
  /** The one that was used last is the last. */
  readonly #kept = new Map<string, Rules>()

  /** @param compile gives what is worth keeping, or throws */
  async get(payload: Buffer, compile: () => Promise<Rules>): Promise<Rules> {
    if (payload.length > LONGEST_PAYLOAD) return await compile()
    const key = payload.toString('latin1')
    const rules = this.#kept.get(key) ?? (await compile())
    this.#kept.delete(key)
    this.#kept.set(key, rules)
    this.#shrink()
    return rules
  }

  #shrink(): void {
    for (const key of this.#kept.keys()) {
      if (this.#kept.size <= MOST && this.#bytes() <= MOST_BYTES) return
      this.#kept.delete(key)
    }
  }

  #bytes(): number {
    let sum = 0
    for (const [key, { bytes }] of this.#kept) sum += key.length + bytes
    return sum
  }
}
