import {
  END_OF_TEXT,
  INCOMPLETE,
  INVALID_BYTE,
  type Nodes,
  OP,
  readRune,
  WHERE,
  widthOfRune,
} from './nodes.ts'

/** A further bit beside those of `WHERE`. It means that the rune before the place is a word character. */
const AFTER_WORD = 64
const BEFORE = WHERE.lineBegins | WHERE.textBegins
/** Conditions for which the next rune must be known. */
const NEEDS_NEXT = WHERE.lineEnds | WHERE.textEnds | WHERE.wordBoundary | WHERE.noWordBoundary

/** The nodes that a search has reached at one place of the text. */
interface Standing {
  /** Sorted nodes that wait for the next rune. Some of them have a condition that this rune decides. */
  readonly nodes: Int32Array
  /** True if a node has a condition that the next rune decides. */
  readonly waits: boolean
  /** Sorted targets that match here. */
  readonly targets: readonly number[]
}

/** Follows the instructions that read no rune. `work` counts the visited nodes. */
class Closure {
  work = 0
  readonly #nodes: Nodes
  /** For each node the turn in which it was last seen. */
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
   * Returns the nodes that can be reached from `from`, which may repeat nodes. `where` has the bits of
   * `WHERE` that are true here. If `isDecided`, the next rune is known, and its bits are in `where`, too.
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

/** Maximum number of table entries, nodes and ways (4 to 8 bytes). Above it, all states are forgotten. */
const MAX_KEPT = 1024 * 1024
/** Memory that a state needs besides its nodes and its row, counted in table entries. */
const STATE_COST = 50
/** Memory that a way outside the table needs, counted in table entries. */
const WAY_COST = 12

/** Maximum number of nodes visited between two pauses, which takes some milliseconds. */
const WORK_IN_ONE_GO = 30_000
/** Maximum number of bytes read between two pauses, if each byte costs only a look into the table. */
const BYTES_IN_ONE_GO = 2 * 1024 * 1024

const ASCII = 0x80
const LINE_END = 10
const UNKNOWN = -1

/** Two equal states are the same object, until the automaton forgets all states. */
interface State extends Standing {
  /** Index in the table where the state's row begins. */
  readonly row: number
  /** AFTER_WORD and bits of `WHERE` that text before the place decides. 0 if no condition needs them. */
  readonly where: number
  /** True when no match is open: no rune read so far can belong to an incomplete match. */
  readonly isIdle: boolean
  readonly generation: number
  /**
   * The next state for each class, where the table has none. The table cannot have states after a rune beyond
   * ASCII, and states with targets.
   */
  readonly ways: Map<number, State>
}

/** Why reading stopped: the state has targets, the data ends (perhaps in a rune), or a pause is due. */
type Stop = 'targets' | 'end' | 'pause'

/** The progress of a search. Its offsets are from the beginning of the current data. */
export interface RuleReading {
  state: State
  at: number
  /** No incomplete match begins before this offset. */
  idleAt: number
}

/**
 * Searches for all words and patterns at the same time. A state is made when a text first needs it, and costs
 * at most one look at each node. After that, a byte costs one look into a table, with any number of rules.
 */
export class RuleAutomaton {
  readonly #nodes: Nodes
  readonly #closure: Closure
  readonly #borders: Int32Array
  /** Class of each byte. All bytes beyond ASCII use one column of the table, which stays UNKNOWN. */
  readonly #classes = new Uint8Array(256)
  readonly #stride: number
  #table: Int32Array
  #states: State[] = []
  #byHash = new Map<number, State[]>()
  #kept = 0
  #generation = 0
  /** Only idle states have rows before this one. */
  #idleRows = 0

  constructor(nodes: Nodes) {
    this.#nodes = nodes
    this.#closure = new Closure(nodes)
    this.#borders = nodes.borders
    for (let byte = 0; byte < ASCII; byte++) this.#classes[byte] = this.#classOf(byte)
    const beyond = (this.#classes[ASCII - 1] ?? 0) + 1
    this.#classes.fill(beyond, ASCII)
    this.#stride = beyond + 1
    this.#table = new Int32Array(64 * this.#stride).fill(UNKNOWN)
    this.#makeIdleStates()
  }

  /** Approximate memory in bytes, which grows with the texts, up to some 20 MB. */
  get bytes(): number {
    return this.#kept * 8 + this.#table.byteLength + this.#nodes.size * 64
  }

  begin(): RuleReading {
    return { state: this.#idle(TEXT_BEGINS), at: 0, idleAt: 0 }
  }

  /** Continues to read for some milliseconds. */
  scan(reading: RuleReading, data: Buffer): Stop {
    const end = Math.min(data.length, reading.at + BYTES_IN_ONE_GO)
    const enough = this.#closure.work + WORK_IN_ONE_GO
    reading.state = this.#current(reading.state)
    while (reading.at < end) {
      this.#readKnown(reading, data, end)
      if (reading.at >= end) break
      const rune = readRune(data, reading.at)
      if (rune === INCOMPLETE) return 'end'
      this.step(reading, rune)
      if (reading.state.targets.length > 0) return 'targets'
      if (this.#closure.work > enough) return 'pause'
    }
    return reading.at < data.length ? 'pause' : 'end'
  }

  /** `read` is a rune, INVALID_BYTE or END_OF_TEXT. */
  step(reading: RuleReading, read: number): void {
    this.#closure.work += 1
    reading.state = this.#next(this.#current(reading.state), read)
    reading.at += read < 0 ? (read === INVALID_BYTE ? 1 : 0) : widthOfRune(read)
    if (reading.state.isIdle) reading.idleAt = reading.at
  }

  /** The hot loop, which reads ASCII while the table knows the next state. */
  #readKnown(reading: RuleReading, data: Buffer, end: number): void {
    const [table, classes, idleRows] = [this.#table, this.#classes, this.#idleRows]
    let [row, at, idleAt] = [reading.state.row, reading.at, reading.idleAt]
    while (at < end) {
      const next = table[row + (classes[data[at] ?? 0] ?? 0)] ?? UNKNOWN
      if (next < 0) break
      row = next
      at += 1
      if (row < idleRows) idleAt = at
    }
    reading.state = this.#states[row / this.#stride] ?? reading.state
    reading.at = at
    reading.idleAt = idleAt
  }

  #next(state: State, read: number): State {
    const index = read < 0 ? read : this.#classOf(read)
    const known = state.ways.get(index)
    if (known !== undefined) return known
    const next = this.#made(state, read)
    if (state.generation === this.#generation) this.#remember(state, read, index, next)
    return next
  }

  #remember(state: State, read: number, index: number, next: State): void {
    if (read >= 0 && read < ASCII && next.targets.length === 0) this.#table[state.row + index] = next.row
    else {
      state.ways.set(index, next)
      this.#kept += WAY_COST
    }
  }

  #made(state: State, read: number): State {
    const isWord = isWordCharacter(read)
    const before = state.waits ? this.#decided(state, read, isWord) : state
    const after: number[] = []
    for (const node of before.nodes) {
      const next = this.#nodes.after(node, read)
      if (next !== undefined) after.push(next)
    }
    this.#closure.work += before.nodes.length
    const matched = before === state ? [] : before.targets
    const where = (read === LINE_END ? WHERE.lineBegins : 0) | (isWord ? AFTER_WORD : 0)
    const isIdle = after.length === 0
    const from = read === END_OF_TEXT ? after : after.concat(this.#nodes.starts)
    const standing = this.#closure.of(from, where & ~AFTER_WORD, false)
    return this.#state(standing, where, isIdle, united(matched, standing.targets))
  }

  /** Decides the conditions that needed the next rune, and returns the nodes that are reached then. */
  #decided(state: State, read: number, isWord: boolean): Standing {
    const isBoundary = isWord !== ((state.where & AFTER_WORD) !== 0)
    let where = state.where & ~AFTER_WORD
    where |= isBoundary ? WHERE.wordBoundary : WHERE.noWordBoundary
    if (read === LINE_END || read === END_OF_TEXT) where |= WHERE.lineEnds
    if (read === END_OF_TEXT) where |= WHERE.textEnds
    return this.#closure.of(state.nodes, where, true)
  }

  #idle(where: number): State {
    const standing = this.#closure.of(this.#nodes.starts, where & ~AFTER_WORD, false)
    return this.#state(standing, where, true, standing.targets)
  }

  #makeIdleStates(): void {
    for (const where of [TEXT_BEGINS, 0, WHERE.lineBegins, AFTER_WORD]) this.#idle(where)
    this.#idleRows = this.#states.length * this.#stride
  }

  /** Returns the state. If `#forget` has dropped the state, builds an equal state and returns that. */
  #current(state: State): State {
    if (state.generation === this.#generation) return state
    return this.#state(state, state.where, state.isIdle, state.targets)
  }

  #state(standing: Standing, where: number, isIdle: boolean, targets: readonly number[]): State {
    const { nodes, waits } = standing
    const holds = waits ? where : 0
    const hash = hashOf(nodes, targets, holds)
    const same = this.#byHash
      .get(hash)
      ?.find(
        (known) =>
          known.where === holds &&
          known.isIdle === isIdle &&
          isEqual(known.nodes, nodes) &&
          isEqual(known.targets, targets),
      )
    return same ?? this.#add({ nodes, waits, targets, where: holds, isIdle }, hash)
  }

  #add(made: Standing & Pick<State, 'where' | 'isIdle'>, hash: number): State {
    if (this.#kept > MAX_KEPT) this.#forget()
    const row = this.#states.length * this.#stride
    const state: State = { ...made, row, generation: this.#generation, ways: new Map() }
    this.#kept += STATE_COST + this.#stride + made.nodes.length
    this.#states.push(state)
    const bucket = this.#byHash.get(hash)
    if (bucket === undefined) this.#byHash.set(hash, [state])
    else bucket.push(state)
    if (row + this.#stride > this.#table.length) this.#grow()
    return state
  }

  #grow(): void {
    const table = new Int32Array(this.#table.length * 2).fill(UNKNOWN, this.#table.length)
    table.set(this.#table)
    this.#table = table
  }

  #forget(): void {
    this.#generation += 1
    this.#states = []
    this.#byHash = new Map()
    this.#kept = 0
    this.#table = new Int32Array(64 * this.#stride).fill(UNKNOWN)
    this.#makeIdleStates()
  }

  /** Returns the number of borders at or before the rune. */
  #classOf(rune: number): number {
    let [low, high] = [0, this.#borders.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#borders[middle] ?? 0) <= rune) low = middle + 1
      else high = middle
    }
    return low
  }
}

const TEXT_BEGINS = WHERE.textBegins | WHERE.lineBegins

function isWordCharacter(read: number): boolean {
  return (
    (read >= 48 && read <= 57) || (read >= 65 && read <= 90) || read === 95 || (read >= 97 && read <= 122)
  )
}

function united(some: readonly number[], others: readonly number[]): readonly number[] {
  if (some.length === 0) return others
  return [...new Set([...some, ...others])].sort((left, right) => left - right)
}

function hashOf(nodes: Int32Array, targets: readonly number[], where: number): number {
  let hash = 0x811c9dc5 ^ where
  for (const node of nodes) hash = Math.imul(hash ^ node, 0x01000193)
  for (const target of targets) hash = Math.imul(hash ^ target, 0x01000193)
  return hash
}

function isEqual(some: ArrayLike<number>, others: ArrayLike<number>): boolean {
  if (some.length !== others.length) return false
  for (let index = 0; index < some.length; index++) if (some[index] !== others[index]) return false
  return true
}
