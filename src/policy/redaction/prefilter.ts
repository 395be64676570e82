/** Bytes of a text's beginning that are looked up before anything else looks at the place. */
export const PREFIX_BYTES = 4

const BLOCK_BYTES = 2
const MAX_WINDOW = 16
const BLOCK_BITS = 13
const MIN_PREFIX_BITS = 12
const MAX_PREFIX_BITS = 20
/** Slots of the prefix table for each text: of the wrong places at most about one in so many gets through. */
const PREFIX_SPREAD = 16

/**
 * Finds the places where a text may begin, and passes over most of the rest unread (Wu and Manber): the block of two
 * bytes at the end of a window tells how far the window can be moved without missing a beginning.
 */
export class Prefilter {
  readonly #window: number
  readonly #shifts: Uint8Array
  readonly #prefixBits: number
  readonly #prefixes: Uint8Array

  constructor(texts: readonly Buffer[]) {
    this.#window = texts.reduce((least, { length }) => Math.min(least, length), MAX_WINDOW)
    this.#shifts = new Uint8Array(1 << BLOCK_BITS).fill(this.#window - BLOCK_BYTES + 1)
    this.#prefixBits = prefixBits(texts.length)
    this.#prefixes = new Uint8Array(1 << this.#prefixBits)
    if (this.#usable) for (const text of texts) this.#add(text)
  }

  /** The last place of `length` bytes that can be judged; negative when none can. */
  lastPlace(length: number): number {
    return this.#usable ? length - this.#window : -1
  }

  /** @returns the first place from `from` on where a text may begin; beyond `lastPlace` when there is none */
  find(data: Buffer, from: number): number {
    const window = this.#window
    const shifts = this.#shifts
    const last = data.length - window
    let at = from
    while (at <= last) {
      const end = at + window
      const shift = shifts[blockHash(data[end - 2] ?? 0, data[end - 1] ?? 0)] ?? 0
      if (shift > 0) at += shift
      else if (this.#isPrefix(data, at)) return at
      else at += 1
    }
    return last + 1
  }

  /** Not with texts shorter than a prefix: then every place may be a beginning. */
  get #usable(): boolean {
    return this.#window >= PREFIX_BYTES
  }

  #add(text: Buffer): void {
    const last = this.#window - BLOCK_BYTES
    for (let at = 0; at <= last; at++) {
      const block = blockHash(text[at] ?? 0, text[at + 1] ?? 0)
      this.#shifts[block] = Math.min(this.#shifts[block] ?? 0, last - at)
    }
    this.#prefixes[prefixHash(text, 0, this.#prefixBits)] = 1
  }

  #isPrefix(data: Buffer, at: number): boolean {
    return this.#prefixes[prefixHash(data, at, this.#prefixBits)] === 1
  }
}

function prefixBits(texts: number): number {
  return Math.min(Math.max(MIN_PREFIX_BITS, Math.ceil(Math.log2(texts * PREFIX_SPREAD))), MAX_PREFIX_BITS)
}

function blockHash(first: number, second: number): number {
  return (first << 5) ^ second
}

function prefixHash(data: Buffer, at: number, bits: number): number {
  const low = (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8)
  const high = (data[at + 2] ?? 0) | ((data[at + 3] ?? 0) << 8)
  // Fibonacci hashing: the multiplier is 2^32 over the golden ratio.
  return Math.imul(low | (high << 16), 0x9e3779b1) >>> (32 - bits)
}
