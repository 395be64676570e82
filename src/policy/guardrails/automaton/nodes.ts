import type { RE2JS } from 're2js'
import type { Work } from '../../work.ts'
import { OP, programOf, rangesOf, type Instruction } from './re2-program.ts'
import { INVALID_BYTE } from './runes.ts'
import type { WordTrie } from './word-trie.ts'

/** What a search reads after the last rune. */
export const END_OF_TEXT = -2

/** Go reads U+FFFD where a byte is no UTF-8. A word, which is compared byte by byte, does not. */
const REPLACEMENT_RUNE = 0xfffd

/** The instructions of all patterns one after the other, followed by the words. A match leads to a target. */
export class Nodes {
  /** Where a match may begin, anywhere in the text. */
  readonly starts: readonly number[]
  readonly size: number
  /** Every rune at which something begins to matter or ceases to, in order: runes between two are all alike. */
  readonly borders: Int32Array
  readonly #ops: Uint8Array
  readonly #outs: Int32Array
  readonly #args: Int32Array
  readonly #ranges: Int32Array[] = []
  readonly #patternNodes: number
  readonly #trie: WordTrie

  /** Made in bounded parts. @param trie has all its words already */
  static *of(patterns: readonly PatternTarget[], trie: WordTrie): Work<Nodes> {
    const programs: Program[] = []
    const borders = new Set<number>(ALWAYS_BORDERS)
    for (const { compiled, target } of patterns) {
      const { inst, start } = programOf(compiled)
      const ranges = inst.map(rangesOf)
      for (const pairs of ranges)
        for (const [index, rune] of pairs.entries()) borders.add(index % 2 === 0 ? rune : rune + 1)
      programs.push({ inst, start, target, ranges })
      yield
    }
    for (const rune of trie.runes) borders.add(rune).add(rune + 1)
    yield
    return new Nodes(programs, trie, Int32Array.from(borders).sort())
  }

  private constructor(programs: readonly Program[], trie: WordTrie, borders: Int32Array) {
    this.#patternNodes = programs.reduce((sum, { inst }) => sum + inst.length, 0)
    this.#ops = new Uint8Array(this.#patternNodes)
    this.#outs = new Int32Array(this.#patternNodes)
    this.#args = new Int32Array(this.#patternNodes)
    this.#trie = trie
    const starts = programs.map((program) => this.#add(program))
    this.starts = trie.isEmpty ? starts : [...starts, this.#patternNodes]
    this.size = this.#patternNodes + trie.size
    this.borders = borders
  }

  isWordNode(node: number): boolean {
    return node >= this.#patternNodes
  }

  op(node: number): number {
    return this.#ops[node] ?? OP.fail
  }

  out(node: number): number {
    return this.#outs[node] ?? 0
  }

  arg(node: number): number {
    return this.#args[node] ?? 0
  }

  /** Where a word or an instruction that takes runes goes on after this one. Undefined: nowhere. */
  after(node: number, read: number): number | undefined {
    if (this.isWordNode(node)) return this.#afterWord(node - this.#patternNodes, read)
    const rune = read === INVALID_BYTE ? REPLACEMENT_RUNE : read
    return isWithin(rune, this.#ranges[node]) ? this.out(node) : undefined
  }

  /** The targets of the words that end at a node. */
  ends(node: number): readonly number[] | undefined {
    return this.#trie.ends(node - this.#patternNodes)
  }

  /** @returns where the pattern starts */
  #add({ inst, start, target, ranges }: Program): number {
    const offset = this.#ranges.length
    for (const [index, { op, out, arg }] of inst.entries()) {
      const node = this.#ranges.push(ranges[index] ?? NO_RUNES) - 1
      this.#ops[node] = op
      this.#outs[node] = offset + out
      this.#args[node] = op === OP.match ? target : op === OP.condition ? arg : offset + arg
    }
    return offset + start
  }

  #afterWord(node: number, read: number): number | undefined {
    const child = read < 0 ? undefined : this.#trie.child(node, read)
    return child === undefined ? undefined : this.#patternNodes + child
  }
}

export interface PatternTarget {
  readonly compiled: RE2JS
  readonly target: number
}

/** A pattern with the runes that each of its instructions takes. */
interface Program {
  readonly inst: readonly Instruction[]
  readonly start: number
  readonly target: number
  readonly ranges: readonly Int32Array[]
}

const NO_RUNES = Int32Array.of()

/** Line ends, and the characters of words, which `\b` looks at. */
const ALWAYS_BORDERS = [10, 11, 48, 58, 65, 91, 95, 96, 97, 123]

function isWithin(rune: number, ranges: Int32Array | undefined): boolean {
  let [low, high] = [0, (ranges?.length ?? 0) / 2]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges?.[middle * 2 + 1] ?? 0) < rune) low = middle + 1
    else high = middle
  }
  return ranges !== undefined && low * 2 < ranges.length && (ranges[low * 2] ?? 0) <= rune
}
