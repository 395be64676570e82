import { Prefilter, PREFIX_BYTES } from './prefilter.ts'
import { isLineBreak, LineBreaks } from './secrets.ts'

/** Node of the root. No node has the root as a child, so ROOT also means "no child". */
export const ROOT = 0

/** Symbol after the end of a row. It is not a byte. */
const END = 0x100
/** A bit of a node's symbol. It is set if the node has other children than the next node of its row. */
const BRANCHES = 0x200
const SYMBOL = BRANCHES - 1

interface Row {
  /** `above` is the depth of the first node's parent. */
  readonly first: number
  readonly above: number
}

/**
 * A trie of all texts in sorted order, without an object per node. Each text adds one row. A row has one node
 * for each byte after the prefix that the text shares with the previous text. The first child of a node is
 * the next node of the same row. Every other child starts a row. A text ends only at the end of a row.
 */
export class Trie {
  readonly texts: readonly Buffer[]
  readonly size: number
  readonly #symbols: Uint16Array
  /** The children that start a row. The key is `parent * 256 + byte`. */
  readonly #branches = new Map<number, number>()

  /** `texts` may have any order and duplicates, but no empty text. */
  constructor(texts: readonly Buffer[]) {
    this.texts = sortedTexts(texts)
    const above = this.texts.map((text, index) => sharedLength(this.texts[index - 1], text))
    const starts = rowStarts(this.texts, above)
    this.size = starts.at(-1) ?? 1
    this.#symbols = new Uint16Array(this.size + 1).fill(END)
    this.#addRows(above, starts)
  }

  /** Returns ROOT when there is no such child. */
  child(node: number, byte: number): number {
    const symbols = this.#symbols
    if (((symbols[node + 1] ?? END) & SYMBOL) === byte) return node + 1
    if (((symbols[node] ?? END) & BRANCHES) === 0) return ROOT
    return this.#branches.get(node * 256 + byte) ?? ROOT
  }

  isEndOfText(node: number): boolean {
    return ((this.#symbols[node + 1] ?? END) & SYMBOL) === END
  }

  hasChildren(node: number): boolean {
    return !this.isEndOfText(node) || ((this.#symbols[node] ?? END) & BRANCHES) !== 0
  }

  #addRows(above: readonly number[], starts: Int32Array): void {
    const path: Row[] = []
    for (const [index, text] of this.texts.entries()) {
      const row = { first: starts[index] ?? 0, above: above[index] ?? 0 }
      const parent = parentOf(row, path)
      for (let at = row.above; at < text.length; at++)
        this.#symbols[row.first + at - row.above] = text[at] ?? 0
      if (row.first !== parent + 1) this.#addBranch(parent, text[row.above] ?? 0, row.first)
      path.push(row)
    }
  }

  #addBranch(parent: number, byte: number, child: number): void {
    this.#branches.set(parent * 256 + byte, child)
    this.#symbols[parent] = (this.#symbols[parent] ?? END) | BRANCHES
  }
}

/** Sorts texts and removes duplicates. Compares strings, which V8 sorts ten times as fast as buffers. */
function sortedTexts(texts: readonly Buffer[]): Buffer[] {
  const byName = new Map(texts.map((text) => [text.toString('latin1'), text]))
  return [...byName].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, text]) => text)
}

/**
 * Returns the parent of the row's first node. Removes the rows from `path` that cannot contain this parent.
 */
function parentOf(row: Row, path: Row[]): number {
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    if (last.above < row.above) return last.first + row.above - last.above - 1
    path.pop()
  }
  return ROOT
}

/**
 * Returns the first node of each row and, as the last element, the end of all rows. Each row has a place for
 * END after its last node.
 */
function rowStarts(texts: readonly Buffer[], above: readonly number[]): Int32Array {
  const starts = new Int32Array(texts.length + 1)
  let next = ROOT + 1
  for (const [index, text] of texts.entries()) {
    starts[index] = next
    next += text.length - (above[index] ?? 0) + 1
  }
  starts[texts.length] = next
  return starts
}

function sharedLength(left: Buffer | undefined, right: Buffer): number {
  if (left === undefined) return 0
  const end = Math.min(left.length, right.length)
  let length = 0
  while (length < end && left[length] === right[length]) length += 1
  return length
}

/**
 * Aho and Corasick's automaton: the state is the deepest node whose path is a suffix of the bytes read. A
 * node's details are computed when a stream first reaches it. Most nodes are never reached, so compiling
 * costs no more than the trie.
 */
class Automaton {
  readonly #trie: Trie
  /** The node of the longest proper suffix of this node's path. */
  readonly #failure: Int32Array
  /** Length of the path; 0 until the node is reached. */
  readonly #depth: Int32Array
  /** Length of the longest text that ends at this node, or 0. */
  readonly #longest: Int32Array

  constructor(trie: Trie) {
    this.#trie = trie
    this.#failure = new Int32Array(trie.size)
    this.#depth = new Int32Array(trie.size)
    this.#longest = new Int32Array(trie.size)
  }

  next(state: number, byte: number): number {
    for (let at = state; ; at = this.#failure[at] ?? ROOT) {
      const child = this.#trie.child(at, byte)
      if (child !== ROOT) {
        if (this.#depth[child] === 0) this.#learn(at, child, byte)
        return child
      }
      if (at === ROOT) return ROOT
    }
  }

  depth(state: number): number {
    return this.#depth[state] ?? 0
  }

  longest(state: number): number {
    return this.#longest[state] ?? 0
  }

  /** Returns the longest suffix that may still become a text. */
  pending(state: number): number {
    let at = state
    while (at !== ROOT && !this.#trie.hasChildren(at)) at = this.#failure[at] ?? ROOT
    return at
  }

  /** Computes the details of a node. First computes the details of the node's failure nodes. */
  #learn(parent: number, node: number, byte: number): void {
    const learnt = []
    let [above, at] = [parent, node]
    while (at !== ROOT && this.depth(at) === 0) {
      this.#depth[at] = this.depth(above) + 1
      learnt.push(at)
      const suffix = this.#suffix(above, byte)
      this.#failure[at] = suffix.node
      above = suffix.parent
      at = suffix.node
    }
    for (const reached of learnt.reverse()) this.#longest[reached] = this.#longestAt(reached)
  }

  #suffix(parent: number, byte: number): { parent: number; node: number } {
    let [above, node] = [parent, ROOT]
    while (above !== ROOT && node === ROOT) {
      above = this.#failure[above] ?? ROOT
      node = this.#trie.child(above, byte)
    }
    return { parent: above, node }
  }

  #longestAt(node: number): number {
    return this.#trie.isEndOfText(node) ? this.depth(node) : this.longest(this.#failure[node] ?? ROOT)
  }
}

/** Runs of bytes that will be replaced and are not sent yet, in order. The runs do not touch each other. */
export class CoveredRuns {
  #starts: number[] = []
  #ends: number[] = []
  #first = 0

  /** The start of the first run, or Infinity. */
  get start(): number {
    return this.#starts[this.#first] ?? Infinity
  }

  /** `end` must not be smaller than in an earlier call. */
  add(start: number, end: number): void {
    const last = this.#ends.length - 1
    if (last >= this.#first && this.#touches(last, start)) this.#extendLast(start, end)
    else this.#append(start, end)
  }

  /** Removes the first run, or the part of this run before `limit`. Returns the end of the removed bytes. */
  take(limit: number): number {
    const end = this.#ends[this.#first] ?? limit
    if (end > limit) {
      this.#starts[this.#first] = limit
      return limit
    }
    this.#first += 1
    this.#dropTaken()
    return end
  }

  #touches(run: number, start: number): boolean {
    return (this.#ends[run] ?? 0) >= start
  }

  /**
   * Extends the last run. A long occurrence may also touch earlier runs, which are then joined to the last
   * run.
   */
  #extendLast(start: number, end: number): void {
    let last = this.#ends.length - 1
    while (last > this.#first && this.#touches(last - 1, start)) {
      this.#starts.pop()
      this.#ends.pop()
      last -= 1
    }
    this.#starts[last] = Math.min(this.#starts[last] ?? start, start)
    this.#ends[last] = end
  }

  #append(start: number, end: number): void {
    this.#starts.push(start)
    this.#ends.push(end)
  }

  #dropTaken(): void {
    if (this.#first * 2 < this.#starts.length) return
    this.#starts = this.#starts.slice(this.#first)
    this.#ends = this.#ends.slice(this.#first)
    this.#first = 0
  }
}

/**
 * Finds many texts in any number of streams, also texts that are wrapped into lines. Each stream has two
 * states: one for the bytes as they are, and one for the bytes without line breaks. The states differ only
 * for some bytes after a line break.
 */
export class Matcher {
  readonly #automaton: Automaton
  readonly #prefilter: Prefilter

  /** `texts` has at least one text, none of them empty. */
  constructor(texts: readonly Buffer[]) {
    const trie = new Trie(texts)
    this.#automaton = new Automaton(trie)
    this.#prefilter = new Prefilter(trie.texts)
  }

  /** Adds the occurrences in the next data to `covered`. */
  scan(data: Buffer, reading: Reading, covered: CoveredRuns): void {
    const lastPlace = this.#prefilter.lastPlace(data.length)
    let at = 0
    while (at < data.length) {
      if (reading.isAtRoot && at <= lastPlace) at = this.#prefilter.find(data, at)
      at = this.#follow(data, at, lastPlace, reading, covered)
    }
    this.#pass(data.length, reading)
  }

  /**
   * Follows the data until the data ends or until the prefilter would be faster. Returns the place where it
   * stopped.
   */
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
      // The prefilter looks at more bytes than were followed here. So it may find that no text begins where
      // the followed text begins.
      const begin = this.#start(reading, end) - reading.offset
      if (begin < 0 || begin > lastPlace) continue
      reading.leave()
      return begin
    }
    return data.length
  }

  /** Updates the state of the stream without line breaks while this state differs from the other state. */
  #followJoined(byte: number, end: number, reading: Reading, covered: CoveredRuns): void {
    reading.meet(this.#automaton.next(reading.joined, byte))
    const longest = this.#automaton.longest(reading.joined)
    if (longest > 0) covered.add(reading.breaks.startOf(longest, end), end)
  }

  /** Returns whether the state of the stream without line breaks must still be followed. */
  #isPromising({ asIs, joined }: Reading, before: number): boolean {
    if (joined === asIs) return false
    const length = this.#automaton.depth(joined)
    return length >= PREFIX_BYTES || length > this.#automaton.depth(before)
  }

  /** Returns the offset where the longest followed text begins. */
  #start({ asIs, joined, breaks }: Reading, end: number): number {
    const start = end - this.#automaton.depth(asIs)
    return joined === asIs ? start : Math.min(start, breaks.startOf(this.#automaton.depth(joined), end))
  }

  /** Ends the reading of this data. Keeps the states, because later data may complete a text. */
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

export class Reading {
  offset = 0
  /** Offset where the longest beginning of a text starts that is at the end of the stream. */
  start = 0
  length = 0
  /** `asIs` is the state for the stream as it is, `joined` for the stream without line breaks. */
  asIs = ROOT
  joined = ROOT
  readonly breaks = new LineBreaks()

  get isAtRoot(): boolean {
    return this.asIs === ROOT && this.joined === ROOT
  }

  /** Leaves out the line break at `offset` for the state without line breaks. */
  skip(offset: number): void {
    if (this.joined !== ROOT && !this.breaks.add(offset)) this.meet(ROOT)
  }

  /**
   * Sets the state without line breaks. If both states are the same, no followed text contains a line break,
   * and the line breaks are forgotten.
   */
  meet(joined: number): void {
    this.joined = joined
    if (joined === this.asIs || joined === ROOT) this.breaks.clear()
  }

  leave(): void {
    this.asIs = ROOT
    this.meet(ROOT)
  }
}
