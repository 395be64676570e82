import type { WindowSize } from '../runtime/child.ts'
import type { Execution } from '../runtime/execution.ts'

/** A person types a handful of keys while a terminal is being started. */
const MAX_EARLY_PACKETS = 256

/** What the client of a terminal types, and the size of its window; both may come before the terminal exists. */
export class Keyboard {
  #size: WindowSize = { cols: 80, rows: 24 }
  #execution: Execution | undefined
  readonly #early: Buffer[] = []

  get size(): WindowSize {
    return this.#size
  }

  /** The terminal exists: it gets what has come so far. */
  attach(execution: Execution): void {
    this.#execution = execution
    execution.resize(this.#size)
    for (const data of this.#early.splice(0)) execution.type(data)
  }

  /** @returns false when the input is lost, since nobody reads it */
  type(data: Buffer): boolean {
    if (this.#execution !== undefined) return this.#execution.type(data)
    if (this.#early.length >= MAX_EARLY_PACKETS) return false
    this.#early.push(data)
    return true
  }

  resize(size: WindowSize): void {
    this.#size = size
    this.#execution?.resize(size)
  }
}
