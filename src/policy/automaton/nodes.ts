import { RE2JS } from 're2js'
import type { Work } from '../work.ts'

/** A number above all runes, so that `node * RUNES + rune` is unique. */
const RUNES = 0x200000

const ROOT = 0

/** The words of all rules as one trie of runes. */
export class WordTrie {
  #size = 1
  readonly #children = new Map<number, number>()
  readonly #ends = new Map<number, number[]>()
  readonly #runes = new Set<number>()

  get size(): number {
    return this.#size
  }

  get isEmpty(): boolean {
    return this.#size === 1
  }

  get runes(): Iterable<number> {
    return this.#runes
  }

  /** `word` must not be empty. */
  add(word: string, target: number): void {
    let node = ROOT
    for (const character of word) node = this.#childOrNew(node, character.codePointAt(0) ?? 0)
    const ends = this.#ends.get(node)
    if (ends === undefined) this.#ends.set(node, [target])
    else ends.push(target)
  }

  /** Returns undefined when no word continues with this rune. */
  child(node: number, rune: number): number | undefined {
    return this.#children.get(node * RUNES + rune)
  }

  /** Returns the targets of the words that end at this node. */
  ends(node: number): readonly number[] | undefined {
    return this.#ends.get(node)
  }

  #childOrNew(node: number, rune: number): number {
    const known = this.child(node, rune)
    if (known !== undefined) return known
    const child = this.#size
    this.#size += 1
    this.#runes.add(rune)
    this.#children.set(node * RUNES + rune, child)
    return child
  }
}

/** An instruction of Go's regexp/syntax, as far as the search needs it. */
interface Instruction {
  readonly op: number
  readonly out: number
  /** The second next instruction of a fork, or the bits of a condition. */
  readonly arg: number
  readonly runes: Int32Array
}

interface Program {
  readonly start: number
  readonly inst: readonly Instruction[]
}

/** Numbers of re2js's `Inst`, which are not exported: package.json pins re2js, and a test compares. */
export const OP = {
  fork: 1,
  forkToMatch: 2,
  capture: 3,
  condition: 4,
  fail: 5,
  match: 6,
  nothing: 7,
  runes: 8,
  oneRune: 9,
  anyRune: 10,
  anyRuneNotLineEnd: 11,
} as const

/** Bits of a condition's `arg`. */
export const WHERE = {
  lineBegins: 1,
  lineEnds: 2,
  textBegins: 4,
  textEnds: 8,
  wordBoundary: 16,
  noWordBoundary: 32,
} as const

const MAX_RUNE = 0x10ffff
const FOLDS_CASE = 1

export function programOf(compiled: RE2JS): Program {
  // The package's types leave these members out.
  return (compiled.re2() as unknown as { readonly prog: Program }).prog
}

/** Returns the runes that an instruction accepts, as pairs of first and last rune. */
export function rangesOf({ op, arg, runes }: Instruction): Int32Array {
  switch (op) {
    case OP.anyRune:
      return ANY
    case OP.anyRuneNotLineEnd:
      return ANY_NOT_LINE_END
    case OP.runes:
    case OP.oneRune:
      if (runes.length !== 1) return runes
      return (arg & FOLDS_CASE) === 0 ? single(runes[0] ?? 0) : folded(runes[0] ?? 0)
    default:
      return NONE
  }
}

const NONE = Int32Array.of()
const ANY = Int32Array.of(0, MAX_RUNE)
const ANY_NOT_LINE_END = Int32Array.of(0, 9, 11, MAX_RUNE)

const single = (rune: number) => Int32Array.of(rune, rune)

const foldedRunes = new Map<number, Int32Array>()

/** Returns a rune in all its cases. Without the NUL, the parser would replace the class by one letter. */
function folded(rune: number): Int32Array {
  let ranges = foldedRunes.get(rune)
  if (ranges === undefined) {
    const { inst, start } = programOf(RE2JS.compile(`(?i)[\\x00\\x{${rune.toString(16)}}]`))
    ranges = (inst[start]?.runes ?? NONE).slice(2)
    foldedRunes.set(rune, ranges)
  }
  return ranges
}

/** Stands for a byte that is not UTF-8. As in Go, each such byte is read separately. */
export const INVALID_BYTE = -1
/** Stands for a rune that is cut by the end of the data. More data may complete this rune. */
export const INCOMPLETE = -3

/** Reads the rune at an offset. Returns INVALID_BYTE in the same places as Go. */
export function readRune(data: Buffer, at: number): number {
  const lead = data[at] ?? 0
  if (lead < 0x80) return lead
  const width = widthOf(lead)
  if (width === 1) return INVALID_BYTE
  let rune = lead & (0xff >>> (width + 1))
  for (let index = 1; index < width; index++) {
    const byte = data[at + index]
    if (byte === undefined) return INCOMPLETE
    if ((byte & 0xc0) !== 0x80 || (index === 1 && !mayFollow(lead, byte))) return INVALID_BYTE
    rune = (rune << 6) | (byte & 0x3f)
  }
  return rune
}

/** Tests if the second byte is valid. Overlong forms, surrogates and runes above U+10FFFF are not. */
function mayFollow(lead: number, second: number): boolean {
  switch (lead) {
    case 0xe0:
      return second >= 0xa0
    case 0xed:
      return second < 0xa0
    case 0xf0:
      return second >= 0x90
    case 0xf4:
      return second < 0x90
    default:
      return true
  }
}

/** Returns the number of bytes of a rune by its first byte. Returns 1 for a byte that begins no rune. */
function widthOf(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 1
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

/** Returns the number of bytes in UTF-8. */
export function widthOfRune(rune: number): number {
  if (rune < 0x80) return 1
  return rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4
}

export const END_OF_TEXT = -2

/** Go's patterns read U+FFFD for a byte that is not UTF-8. Words do not: Go compares their bytes. */
const REPLACEMENT_RUNE = 0xfffd

/**
 * The nodes of a search: first the instructions of all patterns, then the words. A target is the number of a
 * pattern or word.
 */
export class Nodes {
  /** Nodes where a match may begin, anywhere in the text. */
  readonly starts: readonly number[]
  readonly size: number
  /** Sorted runes at which a node's answer may change. All runes between two borders get the same answers. */
  readonly borders: Int32Array
  readonly #ops: Uint8Array
  readonly #outs: Int32Array
  readonly #args: Int32Array
  readonly #ranges: Int32Array[] = []
  readonly #patternNodes: number
  readonly #trie: WordTrie

  /** Makes the nodes, with pauses. All words must already be in `trie`. */
  static *of(patterns: readonly PatternTarget[], trie: WordTrie): Work<Nodes> {
    const programs: NodesOfProgram[] = []
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

  private constructor(programs: readonly NodesOfProgram[], trie: WordTrie, borders: Int32Array) {
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

  /** Returns undefined when `read` does not match at `node`. */
  after(node: number, read: number): number | undefined {
    if (this.isWordNode(node)) return this.#afterWord(node - this.#patternNodes, read)
    const rune = read === INVALID_BYTE ? REPLACEMENT_RUNE : read
    return isWithin(rune, this.#ranges[node]) ? this.out(node) : undefined
  }

  ends(node: number): readonly number[] | undefined {
    return this.#trie.ends(node - this.#patternNodes)
  }

  /** Returns the first node of the pattern. */
  #add({ inst, start, target, ranges }: NodesOfProgram): number {
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

/** `ranges` has the runes that each instruction accepts. */
interface NodesOfProgram {
  readonly inst: readonly Instruction[]
  readonly start: number
  readonly target: number
  readonly ranges: readonly Int32Array[]
}

const NO_RUNES = Int32Array.of()

/** The borders that line ends and the word characters of `\b` need. */
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
