import type { RE2JS } from 're2js'
import { RuleAutomaton, type RuleReading } from '../automaton/automaton.ts'
import { INCOMPLETE, Nodes, programOf, rangesOf, readRune, WordTrie } from '../automaton/nodes.ts'
import type { Work } from '../work.ts'

const LF = 0x0a
const CR = 0x0d

/** Whether a match may contain a line end. */
export function goesOverLines(compiled: RE2JS): boolean {
  return programOf(compiled).inst.some((instruction) => {
    const ranges = rangesOf(instruction)
    return ranges.some((first, at) => at % 2 === 0 && holdsLineEnd(first, ranges[at + 1] ?? first))
  })
}

function holdsLineEnd(first: number, last: number): boolean {
  return [LF, CR].some((end) => first <= end && end <= last)
}

/**
 * Returns an automaton that finds the line ends that may be inside a match, or undefined if `regexes` is
 * empty. Several streams can share the automaton.
 */
export function* compileOverLines(regexes: readonly RE2JS[]): Work<RuleAutomaton | undefined> {
  if (regexes.length === 0) return undefined
  const patterns = regexes.map((compiled, target) => ({ compiled, target }))
  return new RuleAutomaton(yield* Nodes.of(patterns, new WordTrie()))
}

/**
 * Collects the line ends of a stream that are inside no match. A cut at such a line end does not change the
 * findings. The collected line ends depend only on the bytes of the stream, not on its chunks. A line end is
 * left out if a match may have begun before the line end and the next match was complete.
 */
export class LinePlaces {
  readonly #automaton: RuleAutomaton
  readonly #reading: RuleReading
  #at = 0
  /** Line ends that may be inside a match, because a match may have begun before them. */
  #open: number[] = []
  #places: number[] = []

  constructor(automaton: RuleAutomaton) {
    this.#automaton = automaton
    this.#reading = automaton.begin()
  }

  /**
   * Reads up to the end of `bytes` and skips bytes that were read before. `offset` is the place of `bytes` in
   * the stream. It must not be larger than the number of bytes read.
   */
  *read(bytes: Buffer, offset: number): Work<void> {
    const data = bytes.subarray(Math.max(0, this.#at - offset))
    const start = Math.max(this.#at, offset)
    const reading = this.#reading
    reading.at = 0
    // The old value is an offset in earlier bytes.
    reading.idleAt = -1
    while (reading.at < data.length) {
      const from = reading.at
      if (this.#open.length > 0) this.#step(data)
      else this.#automaton.scan(reading, data.subarray(0, behindLine(data, from)))
      if (reading.at === from) break
      this.#note(data[reading.at - 1], start + reading.at)
      yield
    }
    this.#at = start + reading.at
  }

  last(until: number): number | undefined {
    return this.#places.findLast((place) => place <= until)
  }

  forget(until: number): void {
    this.#places = this.#places.filter((place) => place > until)
    this.#open = this.#open.filter((place) => place > until)
  }

  /** Reads a single rune while a match may be open, to find the first place without an open match. */
  #step(data: Buffer): void {
    const rune = readRune(data, this.#reading.at)
    if (rune !== INCOMPLETE) this.#automaton.step(this.#reading, rune)
  }

  #note(last: number | undefined, here: number): void {
    const { state, idleAt, at } = this.#reading
    if (state.targets.length > 0) this.#open = []
    const isIdle = idleAt === at
    if (isIdle) {
      for (const place of this.#open) this.#places.push(place)
      this.#open = []
    }
    if (isLineEnd(last)) (isIdle ? this.#places : this.#open).push(here)
  }
}

function behindLine(data: Buffer, from: number): number {
  let at = from
  while (at < data.length && !isLineEnd(data[at])) at += 1
  return Math.min(data.length, at + 1)
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR
}
