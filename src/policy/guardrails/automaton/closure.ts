import type { Nodes } from './nodes.ts'
import { OP, WHERE } from './re2-program.ts'

/** Bits of a place in the text: those of `WHERE` that what came before decides, and whether a word character did. */
export const AFTER_WORD = 64
const BEFORE = WHERE.lineBegins | WHERE.textBegins
/** Conditions that only the next rune decides. */
const NEEDS_NEXT = WHERE.lineEnds | WHERE.textEnds | WHERE.wordBoundary | WHERE.noWordBoundary

/** Where a search may stand at one place of the text: all ways at once. */
export interface Standing {
  /** The nodes that wait for a rune, or for what the next rune decides. Sorted. */
  readonly nodes: Int32Array
  /** Whether some wait for what the next rune decides. */
  readonly waits: boolean
  /** What was matched here, sorted. */
  readonly targets: readonly number[]
}

/** Follows what takes no rune. One for all searches over the same nodes; keeps count of its work. */
export class Closure {
  /** Nodes looked at since the beginning. */
  work = 0
  readonly #nodes: Nodes
  /** The turn in which a node was seen last. */
  readonly #seen: Uint32Array
  #turn = 0
  #stack: number[] = []
  readonly #found: Int32Array
  #count = 0
  #targets: number[] = []
  #waits = false

  constructor(nodes: Nodes) {
    this.#nodes = nodes
    this.#seen = new Uint32Array(nodes.size)
    this.#found = new Int32Array(nodes.size)
  }

  /**
   * @param from need not be different
   * @param where bits of `WHERE` that hold
   * @param isDecided true when the next rune is known, so that `where` has its bits, too
   */
  of(from: Iterable<number>, where: number, isDecided: boolean): Standing {
    this.#begin()
    for (const node of from) {
      this.#stack.push(node)
      for (let next = this.#stack.pop(); next !== undefined; next = this.#stack.pop()) {
        if (this.#seen[next] === this.#turn) continue
        this.#seen[next] = this.#turn
        this.work += 1
        this.#look(next, where, isDecided)
      }
    }
    const nodes = this.#found.slice(0, this.#count).sort()
    return { nodes, waits: this.#waits, targets: distinct(this.#targets) }
  }

  #begin(): void {
    this.#turn += 1
    this.#count = 0
    this.#targets = []
    this.#waits = false
    if (this.#turn < 0xffffffff) return
    this.#seen.fill(0)
    this.#turn = 1
  }

  #look(node: number, where: number, isDecided: boolean): void {
    if (this.#nodes.isWordNode(node)) return this.#lookAtWord(node)
    switch (this.#nodes.op(node)) {
      case OP.fork:
      case OP.forkToMatch:
        this.#stack.push(this.#nodes.arg(node), this.#nodes.out(node))
        return
      case OP.capture:
      case OP.nothing:
        this.#stack.push(this.#nodes.out(node))
        return
      case OP.condition:
        return this.#condition(node, where, isDecided)
      case OP.match:
        this.#targets.push(this.#nodes.arg(node))
        return
      case OP.fail:
        return
      default:
        this.#find(node)
    }
  }

  #lookAtWord(node: number): void {
    this.#find(node)
    for (const target of this.#nodes.ends(node) ?? []) this.#targets.push(target)
  }

  #find(node: number): void {
    this.#found[this.#count] = node
    this.#count += 1
  }

  #condition(node: number, where: number, isDecided: boolean): void {
    const wanted = this.#nodes.arg(node)
    if ((wanted & ~where) === 0) this.#stack.push(this.#nodes.out(node))
    else if (!isDecided && (wanted & NEEDS_NEXT) !== 0 && (wanted & BEFORE & ~where) === 0) {
      this.#find(node)
      this.#waits = true
    }
  }
}

function distinct(targets: number[]): readonly number[] {
  return targets.length < 2 ? targets : [...new Set(targets)].sort((left, right) => left - right)
}
