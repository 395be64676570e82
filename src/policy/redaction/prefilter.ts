import { isLineBreak } from './secrets.ts'

/**
 * Number of bytes in a prefix, without line breaks. The prefilter first compares the prefix at a place with
 * the prefixes of the texts.
 */
export const PREFIX_BYTES = 4
/**
 * Maximum length of a prefix with its line breaks. If the prefix at a place is longer, a text may begin
 * there.
 */
const PREFIX_WITHIN = 16

const BLOCK_BYTES = 2
/**
 * Maximum length of a window in bytes. If all lines have at least 8 characters, a window contains at most one
 * line break.
 */
const MAX_WINDOW = 10
const BLOCK_BITS = 13
const MIN_PREFIX_BITS = 12
const MAX_PREFIX_BITS = 20
/** Number of slots in the prefix table per text. With this number, about one of 16 wrong places passes. */
const PREFIX_SPREAD = 16
const LINE_BREAKS = [0x0a, 0x0d]
const LAST_BREAK = 0x0d

/**
 * Finds the places where a text may begin, as it is or wrapped into lines. Most bytes are not read (algorithm
 * of Wu and Manber): the last two bytes of a window tell how far the window can move without missing a text.
 */
export class Prefilter {
  readonly #window: number
  readonly #shifts: Uint8Array
  readonly #prefixBits: number
  readonly #prefixes: Uint8Array

  constructor(texts: readonly Buffer[]) {
    this.#window = texts.every(hasPrefix)
      ? texts.reduce((least, { length }) => Math.min(least, length), MAX_WINDOW)
      : 0
    this.#shifts = new Uint8Array(1 << BLOCK_BITS).fill(Math.max(0, this.#window - BLOCK_BYTES + 1))
    this.#prefixBits = prefixBits(texts.length)
    this.#prefixes = new Uint8Array(1 << this.#prefixBits)
    if (!this.#usable) return
    for (const first of LINE_BREAKS) for (const second of LINE_BREAKS) this.#limit(first, second, 0)
    for (const text of texts) this.#add(text)
  }

  /** Returns the last place in `length` bytes that can be judged, or a negative number. */
  lastPlace(length: number): number {
    return this.#usable ? length - this.#window : -1
  }

  /** Returns the first place from `from` on where a text may begin, or a place beyond `lastPlace`. */
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

  /** False when a text is shorter than a prefix, because such a text may begin at every place. */
  get #usable(): boolean {
    return this.#window >= PREFIX_BYTES
  }

  /** Adds the text as it is, and with a line break of one or two bytes at any place. */
  #add(text: Buffer): void {
    const last = this.#window - BLOCK_BYTES
    for (let at = 0; at <= last; at++) {
      const [first = 0, second = 0] = [text[at], text[at + 1]]
      this.#limit(first, second, last - at - LINE_BREAKS.length)
      for (const lineBreak of LINE_BREAKS) {
        this.#limit(first, lineBreak, last - at)
        this.#limit(lineBreak, first, last - at - 1)
      }
    }
    this.#prefixes[prefixHash(text, 0, this.#prefixBits)] = 1
  }

  #limit(first: number, second: number, shift: number): void {
    const block = blockHash(first, second)
    this.#shifts[block] = Math.max(0, Math.min(this.#shifts[block] ?? 0, shift))
  }

  #isPrefix(data: Buffer, at: number): boolean {
    const hash = prefixHash(data, at, this.#prefixBits)
    return hash < 0 || this.#prefixes[hash] === 1
  }
}

function hasPrefix(text: Buffer): boolean {
  return prefixHash(text, 0, MIN_PREFIX_BITS) >= 0
}

function prefixBits(texts: number): number {
  return Math.min(Math.max(MIN_PREFIX_BITS, Math.ceil(Math.log2(texts * PREFIX_SPREAD))), MAX_PREFIX_BITS)
}

function blockHash(first: number, second: number): number {
  return (first << 5) ^ second
}

/** Returns -1 if there are too many line breaks to find a whole prefix. */
function prefixHash(data: Buffer, at: number, bits: number): number {
  const [first = 0, second = 0, third = 0, fourth = 0] = [data[at], data[at + 1], data[at + 2], data[at + 3]]
  const word =
    first > LAST_BREAK && second > LAST_BREAK && third > LAST_BREAK && fourth > LAST_BREAK
      ? (first << 24) | (second << 16) | (third << 8) | fourth
      : wordWithoutBreaks(data, at)
  // Fibonacci hashing multiplies by 2^32 over the golden ratio.
  return word === undefined ? -1 : Math.imul(word, 0x9e3779b1) >>> (32 - bits)
}

function wordWithoutBreaks(data: Buffer, from: number): number | undefined {
  const end = Math.min(data.length, from + PREFIX_WITHIN)
  let [word, missing] = [0, PREFIX_BYTES]
  for (let at = from; at < end && missing > 0; at++) {
    const byte = data[at] ?? 0
    if (isLineBreak(byte)) continue
    word = (word << 8) | byte
    missing -= 1
  }
  return missing === 0 ? word : undefined
}
