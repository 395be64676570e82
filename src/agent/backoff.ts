/** First window and longest window of the wait between two attempts, milliseconds. */
const FIRST_MS = 1000
const LONGEST_MS = 30_000
/** A connection that lasted this long was good: the next loss starts over. */
export const HEALTHY_MS = 60_000

/** Full jitter: anything between 0 and a window that doubles, so that a fleet does not come back in one moment. */
export class Backoff {
  #attempt = 0
  readonly #random: () => number

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** @returns milliseconds to wait before the next attempt */
  next(): number {
    const window = Math.min(FIRST_MS * 2 ** this.#attempt, LONGEST_MS)
    this.#attempt = Math.min(this.#attempt + 1, 16)
    return this.#random() * window
  }

  reset(): void {
    this.#attempt = 0
  }
}
