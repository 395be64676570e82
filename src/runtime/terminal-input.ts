import { errnoOf } from '../basics/errors.ts'
import { writeSync } from 'node:fs'
import { setImmediate as otherWork, setTimeout as delay } from 'node:timers/promises'

/** When a full terminal is tried again: soon at first, since most programs read; some never do. */
const FIRST_RETRY_MS = 1
const LONGEST_RETRY_MS = 32
/** Written in one go. A terminal in line mode accepts any amount, and drops most of it. */
const AT_ONCE_BYTES = 64 * 1024

/**
 * Writes to a terminal's master. Not through its stream: libuv falls back to blocking writes on a master, and a program
 * that does not read its terminal would stop the whole agent. Here the descriptor is non-blocking.
 */
export class TerminalInput {
  readonly #fd: number
  readonly #queue: Uint8Array[] = []
  #bytes = 0
  #writing = false
  readonly #isClosed: () => boolean

  /** @param isClosed true as soon as the descriptor may belong to something else */
  constructor(fd: number, isClosed: () => boolean) {
    this.#fd = fd
    this.#isClosed = isClosed
  }

  /** Bytes that the terminal has not taken yet. */
  get unwritten(): number {
    return this.#bytes
  }

  /** Writes as much as the terminal takes, and the rest later, so the caller must not change the bytes. */
  write(data: Uint8Array): void {
    if (this.#isClosed() || data.length === 0) return
    this.#queue.push(data)
    this.#bytes += data.length
    if (!this.#writing) void this.#drain()
  }

  async #drain(): Promise<void> {
    this.#writing = true
    let retryMs = FIRST_RETRY_MS
    for (let data = this.#queue[0]; data !== undefined; data = this.#queue[0]) {
      const taken = this.#isClosed() ? data.length : this.#writeOnce(data)
      this.#took(data, taken)
      if (taken === 0) await delay(retryMs)
      else if (this.#bytes > 0) await otherWork()
      retryMs = taken > 0 ? FIRST_RETRY_MS : Math.min(retryMs * 2, LONGEST_RETRY_MS)
    }
    this.#writing = false
  }

  #took(data: Uint8Array, taken: number): void {
    this.#bytes -= taken
    if (taken === data.length) this.#queue.shift()
    else if (taken > 0) this.#queue[0] = data.subarray(taken)
  }

  /** @returns 0 when the terminal is full. When its program is gone, everything counts as written */
  #writeOnce(data: Uint8Array): number {
    try {
      return writeSync(this.#fd, data, 0, Math.min(data.length, AT_ONCE_BYTES))
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return 0
      return data.length
    }
  }
}
