/** The root of the trie. It is nobody's child, so it also means "no child". */
export const ROOT = 0

/** Where a row ends; no byte. */
const END = 0x100
/** A bit in a node's symbol: it has more children than the next node of its row. */
const BRANCHES = 0x200
const SYMBOL = BRANCHES - 1

interface Row {
  /** The row's first node, and the depth of that node's parent. */
  readonly first: number
  readonly above: number
}

/**
 * All texts as one trie, without an object per node. Of every text, in sorted order, the part that it does not share
 * with the one before is a row, one node per byte. A node's first child is the next node of its row; the other children
 * start rows of their own. A text ends where its row ends, and nowhere else.
 */
export class Trie {
  readonly texts: readonly Buffer[]
  /** One more than the largest node. */
  readonly size: number
  readonly #symbols: Uint16Array
  /** The child by `parent * 256 + byte`, for children that start a row. */
  readonly #branches = new Map<number, number>()

  /** @param texts none of them empty; in any order, duplicates allowed */
  constructor(texts: readonly Buffer[]) {
    this.texts = sortedTexts(texts)
    const above = this.texts.map((text, index) => sharedLength(this.texts[index - 1], text))
    const starts = rowStarts(this.texts, above)
    this.size = starts.at(-1) ?? 1
    this.#symbols = new Uint16Array(this.size + 1).fill(END)
    this.#addRows(above, starts)
  }

  /** @returns the child by that byte, ROOT when there is none */
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

/** Without duplicates. As strings, one character for each byte: V8 sorts them ten times as fast as buffers. */
function sortedTexts(texts: readonly Buffer[]): Buffer[] {
  const byName = new Map(texts.map((text) => [text.toString('latin1'), text]))
  return [...byName].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, text]) => text)
}

/** Removes from `path` what is deeper than the row's parent. */
function parentOf(row: Row, path: Row[]): number {
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    if (last.above < row.above) return last.first + row.above - last.above - 1
    path.pop()
  }
  return ROOT
}

/** One more start than there are texts: the last is the end of all rows. One place after each row is an END. */
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
