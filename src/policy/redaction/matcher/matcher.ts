import { Automaton } from './automaton.ts'
import type { CoveredRuns } from '../covered-runs.ts'
import { isLineBreak, LineBreaks } from '../variants/line-breaks.ts'
import { Prefilter, PREFIX_BYTES } from './prefilter.ts'
import { ROOT, Trie } from './trie.ts'

/**
 * Finds the occurrences of many texts in any number of streams, also of texts that are wrapped into lines. It follows
 * the stream as it is, and the stream without its line breaks. Both are at the same node, except for a while after a
 * line break.
 */
export class Matcher {
  readonly #automaton: Automaton
  readonly #prefilter: Prefilter

  /** @param texts at least one, none of them empty */
  constructor(texts: readonly Buffer[]) {
    const trie = new Trie(texts)
    this.#automaton = new Automaton(trie)
    this.#prefilter = new Prefilter(trie.texts)
  }

  /** Reads on in a stream, and adds what it finds to `covered`. */
  scan(data: Buffer, reading: Reading, covered: CoveredRuns): void {
    const lastPlace = this.#prefilter.lastPlace(data.length)
    let at = 0
    while (at < data.length) {
      if (reading.isAtRoot && at <= lastPlace) at = this.#prefilter.find(data, at)
      at = this.#follow(data, at, lastPlace, reading, covered)
    }
    this.#pass(data.length, reading)
  }

  /** Goes on to the end of the data, or until the prefilter would be faster. @returns where it stopped */
  #follow(data: Buffer, from: number, lastPlace: number, reading: Reading, covered: CoveredRuns): number {
    const automaton = this.#automaton
    for (let at = from; at < data.length;) {
      const byte = data[at] ?? 0
      const before = reading.asIs
      const joinedBefore = reading.joined
      const end = reading.offset + ++at
      const asIs = (reading.asIs = automaton.next(before, byte))
      const longest = automaton.longest(asIs)
      if (longest > 0) covered.add(end - longest, end)
      if (isLineBreak(byte)) {
        reading.skip(end - 1)
        continue
      }
      if (joinedBefore === before) reading.joined = asIs
      else this.#followJoined(byte, end, reading, covered)
      const depth = automaton.depth(asIs)
      if (depth >= PREFIX_BYTES || depth > automaton.depth(before)) continue
      if (this.#isPromising(reading, joinedBefore)) continue
      // What is followed begins here; the prefilter judges that place by more than these few bytes.
      const begin = this.#start(reading, end) - reading.offset
      if (begin < 0 || begin > lastPlace) continue
      reading.leave()
      return begin
    }
    return data.length
  }

  /** Follows the stream without line breaks, where that makes a difference. */
  #followJoined(byte: number, end: number, reading: Reading, covered: CoveredRuns): void {
    reading.meet(this.#automaton.next(reading.joined, byte))
    const longest = this.#automaton.longest(reading.joined)
    if (longest > 0) covered.add(reading.breaks.startOf(longest, end), end)
  }

  /** Whether the stream without line breaks is to be followed. */
  #isPromising({ asIs, joined }: Reading, before: number): boolean {
    if (joined === asIs) return false
    const length = this.#automaton.depth(joined)
    return length >= PREFIX_BYTES || length > this.#automaton.depth(before)
  }

  /** Where the longest text that is followed begins. */
  #start({ asIs, joined, breaks }: Reading, end: number): number {
    const start = end - this.#automaton.depth(asIs)
    return joined === asIs ? start : Math.min(start, breaks.startOf(this.#automaton.depth(joined), end))
  }

  /** The data has been read. What is still followed may become a text, but is not complete. */
  #pass(length: number, reading: Reading): void {
    const automaton = this.#automaton
    reading.offset += length
    reading.asIs = automaton.pending(reading.asIs)
    reading.meet(automaton.pending(reading.joined))
    const joinedLength = automaton.depth(reading.joined)
    reading.breaks.keepWithin(joinedLength, reading.offset)
    reading.start = this.#start(reading, reading.offset)
    reading.length = Math.max(automaton.depth(reading.asIs), joinedLength)
  }
}

/** How far a stream was read, and which part of its end may become a text. */
export class Reading {
  /** Offset of the next byte in the stream. */
  offset = 0
  /** Where the longest beginning of a text at the stream's end starts. */
  start = 0
  /** The length of that beginning. */
  length = 0
  /** The automaton's state for the stream as it is, and without line breaks. */
  asIs = ROOT
  joined = ROOT
  readonly breaks = new LineBreaks()

  get isAtRoot(): boolean {
    return this.asIs === ROOT && this.joined === ROOT
  }

  /** @param offset of a line break */
  skip(offset: number): void {
    if (this.joined !== ROOT && !this.breaks.add(offset)) this.meet(ROOT)
  }

  /** Both states are the same, so no text that is followed has a line break in it. */
  meet(joined: number): void {
    this.joined = joined
    if (joined === this.asIs || joined === ROOT) this.breaks.clear()
  }

  leave(): void {
    this.asIs = ROOT
    this.meet(ROOT)
  }
}
