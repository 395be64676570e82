/** Larger than any rune: makes one number of a node and a rune. */
const RUNES = 0x200000

const ROOT = 0

/** The words of all rules as one trie of runes, so that a search follows few of them at a time. The root is 0. */
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

  /** All runes of all words. */
  get runes(): Iterable<number> {
    return this.#runes
  }

  /** @param word not empty */
  add(word: string, target: number): void {
    let node = ROOT
    for (const character of word) node = this.#childOrNew(node, character.codePointAt(0) ?? 0)
    const ends = this.#ends.get(node)
    if (ends === undefined) this.#ends.set(node, [target])
    else ends.push(target)
  }

  /** @returns undefined when no word goes on like this */
  child(node: number, rune: number): number | undefined {
    return this.#children.get(node * RUNES + rune)
  }

  /** The targets of the words that end at this node. */
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
