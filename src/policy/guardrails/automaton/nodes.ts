import type { RE2JS } from 're2js'
import { OP, programOf, rangesOf } from './re2-program.ts'
import { INVALID_BYTE } from './runes.ts'
import type { WordTrie } from './word-trie.ts'

/** What a search reads behind the last rune. */
export const END_OF_TEXT = -2

/** Go reads U+FFFD where a byte is no UTF-8. A word, which is compared byte by byte, does not. */
const REPLACEMENT_RUNE = 0xfffd

/** The instructions of all patterns one after the other, and behind them the words. A match leads to a target. */
export class Nodes {
  /** Where a match may begin, anywhere in the text. */
  readonly starts: readonly number[]
  readonly size: number
  readonly #ops: Uint8Array
  readonly #outs: Int32Array
  readonly #args: Int32Array
  readonly #ranges: Int32Array[] = []
  readonly #patternNodes: number
  readonly #trie: WordTrie

  constructor(patterns: readonly PatternTarget[], trie: WordTrie) {
    this.#patternNodes = patterns.reduce((sum, { compiled }) => sum + compiled.programSize(), 0)
    this.#ops = new Uint8Array(this.#patternNodes)
    this.#outs = new Int32Array(this.#patternNodes)
    this.#args = new Int32Array(this.#patternNodes)
    this.#trie = trie
    const starts = patterns.map((pattern) => this.#add(pattern))
    this.starts = trie.isEmpty ? starts : [...starts, this.#patternNodes]
    this.size = this.#patternNodes + trie.size
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

  /** Every rune at which something begins to matter or ceases to, in order: runes between two are all alike. */
  borders(): Int32Array {
    const borders = new Set<number>(ALWAYS_BORDERS)
    for (const ranges of this.#ranges) {
      for (const [index, rune] of ranges.entries()) borders.add(index % 2 === 0 ? rune : rune + 1)
    }
    for (const rune of this.#trie.runes) borders.add(rune).add(rune + 1)
    return Int32Array.from(borders).sort()
  }

  /** @returns where the pattern starts */
  #add({ compiled, target }: PatternTarget): number {
    const { inst, start } = programOf(compiled)
    const offset = this.#ranges.length
    for (const instruction of inst) {
      const { op, out, arg } = instruction
      const node = this.#ranges.push(rangesOf(instruction)) - 1
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
