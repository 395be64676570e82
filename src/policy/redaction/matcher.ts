import { Automaton } from './automaton.ts'
import type { CoveredRuns } from './covered-runs.ts'
import { Prefilter, PREFIX_BYTES } from './prefilter.ts'
import { ROOT, Trie } from './trie.ts'

/** Finds the occurrences of many texts in any number of streams: what it knows of a stream is in the state it returns. */
export class Matcher {
  readonly #automaton: Automaton
  readonly #prefilter: Prefilter

  /** @param texts at least one, none of them empty */
  constructor(texts: readonly Buffer[]) {
    const trie = new Trie(texts)
    this.#automaton = new Automaton(trie)
    this.#prefilter = new Prefilter(trie.texts)
  }

  /**
   * Reads on in a stream and adds what it finds to `covered`.
   * @param state where the last call ended, ROOT for the start of the stream
   * @param offset of the data in the stream
   * @returns the state to go on with: `pendingBytes` and `pendingPath` tell what may become a text
   */
  scan(data: Buffer, state: number, offset: number, covered: CoveredRuns): number {
    const lastPlace = this.#prefilter.lastPlace(data.length)
    let place = { at: 0, state }
    while (place.at < data.length) {
      if (place.state === ROOT && place.at <= lastPlace) place.at = this.#prefilter.find(data, place.at)
      place = this.#follow(data, place, lastPlace, offset, covered)
    }
    return this.#automaton.pending(place.state)
  }

  /** Length of the longest suffix of the stream that begins a text and is not all of it. */
  pendingBytes(state: number): number {
    return this.#automaton.depth(state)
  }

  /** Those bytes, in the memory of the texts. */
  pendingPath(state: number): Buffer {
    return this.#automaton.path(state)
  }

  /** Goes from state to state until the prefilter would be faster, or to the end of the data. */
  #follow(data: Buffer, place: Place, lastPlace: number, offset: number, covered: CoveredRuns): Place {
    const automaton = this.#automaton
    let { at, state } = place
    while (at < data.length) {
      const before = state
      state = automaton.next(state, data[at] ?? 0)
      at += 1
      const longest = automaton.longest(state)
      if (longest > 0) covered.add(offset + at - longest, offset + at)
      const depth = automaton.depth(state)
      if (depth < PREFIX_BYTES && depth <= automaton.depth(before)) {
        // What is still followed begins here: the prefilter judges it by more than these few bytes.
        const begin = at - depth
        if (begin >= 0 && begin <= lastPlace) return { at: begin, state: ROOT }
      }
    }
    return { at, state }
  }
}

interface Place {
  at: number
  state: number
}
