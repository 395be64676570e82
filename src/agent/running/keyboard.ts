import { setTimeout as delay } from 'node:timers/promises'
import type { WindowSize } from '../../basics/window-size.ts'
import type { Execution } from '../../runtime/execution.ts'
import { PACKET_OVERHEAD_BYTES } from '../../wire/packet.ts'

/**
 * Maximum number of bytes of input before the terminal has started. The same limit applies while a program
 * does not read.
 */
const MAX_EARLY_BYTES = 4 * 1024 * 1024
/**
 * Time in milliseconds to wait for the window size. hoop's client sends the size within a millisecond after
 * the key that starts the terminal (protocol.md 4.3).
 */
const SIZE_MS = 50

/** Keeps keys and window size if they arrive before the terminal exists. */
export class Keyboard {
  #size: WindowSize = { cols: 80, rows: 24 }
  #execution: Execution | undefined
  readonly #early: Buffer[] = []
  #earlyBytes = 0
  readonly #sized = new AbortController()

  get size(): WindowSize {
    return this.#size
  }

  /** Waits a moment for the client's window size, so that the program has this size from its start. */
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
    this.#earlyBytes += data.length + PACKET_OVERHEAD_BYTES
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
