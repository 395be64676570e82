import { setTimeout } from 'node:timers/promises'
import { HistoryError, isLocked } from '../store/errors.ts'

/**
 * Longest wait in ms for the lock of another program. Litestream, which copies the history to another machine,
 * holds the lock for some hundred ms at each of its checkpoints.
 */
const PATIENCE_MS = 5000
/** Time in ms between two looks at the lock. A look takes some microseconds. */
const LOOK_MS = 10
/** Maximum number of writes that wait, and of the bytes that they hold. Further writes fail at once. */
const MAX_WAITING_WRITES = 1000
const MAX_WAITING_BYTES = 64 * 1024 * 1024
/** Bytes of a write that holds little more than its row. */
const SMALL_BYTES = 16 * 1024

interface Lock {
  readonly error: HistoryError
  /** Settles when the file is free: then to true, and to false if the lock lasts too long. */
  readonly freed: Promise<boolean>
}

/**
 * Repeats writes that another program's lock has refused, while the gateway continues to serve. The writes are
 * repeated in their order, and a new write takes its place after those that wait. Only the first attempt
 * blocks, for SQLite's busy timeout: the next attempts wait for a look that finds the file free.
 */
export class Patience {
  readonly #isFree: () => boolean
  readonly #patienceMs: number
  readonly #over = new AbortController()
  #waiting = 0
  #waitingBytes = 0
  #lock: Lock | undefined

  /** @param isFree looks at the file without any wait, and never throws */
  constructor(isFree: () => boolean, patienceMs = PATIENCE_MS) {
    this.#isFree = isFree
    this.#patienceMs = patienceMs
  }

  /**
   * Calls `work` at once, and again after each lock.
   * @param bytes memory that the work holds while it waits
   * @throws the errors of `work`, among them that of a lock that lasts too long
   */
  async try<T>(work: () => T | Promise<T>, bytes = SMALL_BYTES): Promise<T> {
    const end = performance.now() + this.#patienceMs
    for (;;) {
      if (this.#lock !== undefined) await this.#untilFree(this.#lock, end, bytes)
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof HistoryError) || !isLocked(error)) throw error
        this.#lock ??= { error, freed: this.#look() }
      }
    }
  }

  /** Ends all waits. */
  close(): void {
    this.#over.abort()
  }

  /** @throws the error of the lock */
  async #untilFree(first: Lock, end: number, bytes: number): Promise<void> {
    if (this.#waiting >= MAX_WAITING_WRITES || this.#waitingBytes + bytes > MAX_WAITING_BYTES)
      throw first.error
    this.#waiting += 1
    this.#waitingBytes += bytes
    try {
      // The file may be locked again by the time of this write.
      for (let lock: Lock | undefined = first; lock !== undefined; lock = this.#lock)
        if (performance.now() >= end || !(await lock.freed)) throw lock.error
    } finally {
      this.#waiting -= 1
      this.#waitingBytes -= bytes
    }
  }

  async #look(): Promise<boolean> {
    const end = performance.now() + this.#patienceMs
    const { signal } = this.#over
    let isFree: boolean
    do {
      await setTimeout(LOOK_MS, undefined, { signal }).catch(() => undefined)
      isFree = !signal.aborted && this.#isFree()
    } while (!isFree && !signal.aborted && performance.now() < end)
    this.#lock = undefined
    return isFree
  }
}
