/** A compiled object and its approximate memory, which may grow with use. */
interface Compiled {
  readonly bytes: number
}

/** Maximum number of entries. Connections that are used alternately need several. */
const MOST = 8
/**
 * Maximum memory of all entries in bytes. A session keeps its rules until it ends, even after the
 * cache has removed them.
 */
const MOST_BYTES = 16 * 1024 * 1024
/** Maximum length of a cached payload in bytes. Rules that people write have some KiB. */
const LONGEST_PAYLOAD = 256 * 1024

/** Keeps the results of the last compilations, by their source bytes, for all sessions of one agent. */
export class CompiledCache<Rules extends Compiled> {
  /** Ordered by use: the most recently used is the last. */
  readonly #kept = new Map<string, Rules>()

  /** @param compile returns the value to keep, or throws */
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
