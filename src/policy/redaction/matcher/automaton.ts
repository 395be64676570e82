import { ROOT, Trie } from './trie.ts'

/**
 * Aho and Corasick's automaton. The state after some bytes is the deepest node whose path is a suffix of them. What it
 * knows about a node is learnt when the node is first reached: most of a long text is never reached, so compiling costs
 * no more than the trie.
 */
export class Automaton {
  readonly #trie: Trie
  /** The node of the longest proper suffix of this node's path. */
  readonly #failure: Int32Array
  /** Length of the path; 0 for nodes that were not reached yet. */
  readonly #depth: Int32Array
  /** Length of the longest text that ends the path, 0 for none. */
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

  /** The state without complete texts: its path is the longest suffix that may still become a text. */
  pending(state: number): number {
    let at = state
    while (at !== ROOT && !this.#trie.hasChildren(at)) at = this.#failure[at] ?? ROOT
    return at
  }

  /** A node's failure needs its own failure, and so on. Those that are reached for the first time are learnt, too. */
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
