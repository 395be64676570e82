/** Numbers that follow from a seed alone (mulberry32): the same seed gives the same plan on every machine. */
export class Random {
  #state: number

  constructor(...seeds: readonly number[]) {
    this.#state = seeds.reduce((state, seed) => Math.imul(state ^ seed, 0x9e3779b1) ^ (state >>> 15), 0x5eed)
  }

  /** From 0 to 1, without 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1))
  }

  /** Whether something happens that happens so often. */
  happens(share: number): boolean {
    return this.fraction() < share
  }

  one<T>(of: readonly T[]): T {
    const found = of[this.between(0, of.length - 1)]
    if (found === undefined) throw new Error('nothing to choose from')
    return found
  }

  /** So many different ones. */
  some<T>(of: readonly T[], count: number): T[] {
    const left = [...of]
    return Array.from({ length: Math.min(count, left.length) }, () => {
      const [chosen] = left.splice(this.between(0, left.length - 1), 1)
      return chosen as T
    })
  }
}
