import { setTimeout as delay } from 'node:timers/promises'
import type { WindowSize } from '../../basics/window-size.ts'
import type { Execution } from '../../runtime/execution.ts'

/** Input before the terminal has started, in bytes. A program that does not read has the same limit. */
const MAX_EARLY_BYTES = 4 * 1024 * 1024
/**
 * Wait for the window size, in milliseconds. hoop's client sends it within a millisecond after the key that
 * starts the terminal (protocol.md 4.3).
 */
const SIZE_MS = 50

/** Keys and window size may arrive before the terminal exists. */
export class Keyboard {
  #size: WindowSize = { cols: 80, rows: 24 }
  #execution: Execution | undefined
  readonly #early: Buffer[] = []
  #earlyBytes = 0
  readonly #sized = new AbortController()

  get size(): WindowSize {
    return this.#size
  }

  /** Waits a moment for the client's window size: the program then has it from its start. */
  async sized(): Promise<void> {
    await delay(SIZE_MS, undefined, { signal: this.#sized.signal }).catch(() => undefined)
  }

  attach(execution: Execution): void {
    this.#execution = execution
    execution.resize(this.#size)
    for (const data of this.#early.splice(0)) execution.type(data)
  }

  /** Returns false if the input is lost, because the program does not read. */
  type(data: Buffer): boolean {
    if (this.#execution !== undefined) return this.#execution.type(data)
    this.#earlyBytes += data.length
    if (this.#earlyBytes > MAX_EARLY_BYTES) return false
    this.#early.push(data)
    return true
  }

  resize(size: WindowSize): void {
    this.#size = size
    this.#sized.abort()
    this.#execution?.resize(size)
  }
}
