/** `bytes` is approximate and may grow with use. */
interface Compiled {
  readonly bytes: number
}

/** Maximum number of entries. Several connections in use at the same time need an entry each. */
const MAX_ENTRIES = 8
/** Maximum memory in bytes. A session keeps its rules until it ends, even after the cache dropped them. */
const MAX_BYTES = 16 * 1024 * 1024
/** Maximum length in bytes. Rules that people write have some KiB. */
const MAX_PAYLOAD_BYTES = 256 * 1024

/** Keeps the last compiled rules for all sessions of one agent. The key is the source of the rules. */
export class CompiledCache<Rules extends Compiled> {
  /** The last entry is the most recently used. */
  readonly #kept = new Map<string, Rules>()

  async get(payload: Buffer, compile: () => Promise<Rules>): Promise<Rules> {
    if (payload.length > MAX_PAYLOAD_BYTES) return await compile()
    const key = payload.toString('latin1')
    const rules = this.#kept.get(key) ?? (await compile())
    this.#kept.delete(key)
    this.#kept.set(key, rules)
    this.#shrink()
    return rules
  }

  #shrink(): void {
    for (const key of this.#kept.keys()) {
      if (this.#kept.size <= MAX_ENTRIES && this.#bytes() <= MAX_BYTES) return
      this.#kept.delete(key)
    }
  }

  #bytes(): number {
    let sum = 0
    for (const [key, { bytes }] of this.#kept) sum += key.length + bytes
    return sum
  }
}
