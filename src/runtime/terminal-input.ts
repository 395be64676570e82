import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** How long a full terminal is left alone; its buffer takes 4 KiB at a time. */
const RETRY_MS = 2

/**
 * Writes to a terminal's master. Not through its stream: libuv falls back to blocking writes on a master, and a
 * program that does not read its terminal would stop the whole agent. The descriptor is non-blocking.
 */
export class TerminalInput {
  readonly #fd: number
  readonly #queue: Uint8Array[] = []
  #bytes = 0
  #writing = false
  readonly #isClosed: () => boolean

  /** @param isClosed true from the moment the descriptor may be somebody else's */
  constructor(fd: number, isClosed: () => boolean) {
    this.#fd = fd
    this.#isClosed = isClosed
  }

  /** Bytes the terminal has not taken yet. */
  get unwritten(): number {
    return this.#bytes
  }

  write(data: Uint8Array): void {
    if (this.#isClosed() || data.length === 0) return
    this.#queue.push(data)
    this.#bytes += data.length
    if (!this.#writing) void this.#drain()
  }

  async #drain(): Promise<void> {
    this.#writing = true
    for (let data = this.#queue[0]; data !== undefined; data = this.#queue[0]) {
      const taken = this.#isClosed() ? data.length : this.#writeOnce(data)
      if (taken === 0) await delay(RETRY_MS)
      else this.#took(data, taken)
    }
    this.#writing = false
  }

  #took(data: Uint8Array, taken: number): void {
    this.#bytes -= taken
    if (taken === data.length) this.#queue.shift()
    else this.#queue[0] = data.subarray(taken)
  }

  /** @returns 0 when the terminal is full; one whose program is gone takes everything */
  #writeOnce(data: Uint8Array): number {
    try {
      return writeSync(this.#fd, data)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
      return data.length
    }
  }
}
