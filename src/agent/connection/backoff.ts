/** How long to wait between attempts, in milliseconds: a shortest wait, and a window that doubles. */
export interface BackoffRange {
  readonly shortestMs: number
  /** Length of the first window. */
  readonly firstMs: number
  readonly longestMs: number
}

/** One range for each reason why the last attempt ended. */
export interface BackoffRanges {
  readonly lost: BackoffRange
  /** The gateway takes a minute to notice that our last stream has ended; another agent's may last for ever. */
  readonly conflict: BackoffRange
  /** A person has to correct the key. Until then nobody's log should fill up. */
  readonly refused: BackoffRange
}

/**
 * The longest wait where nobody has to act first. With hoop's gateway and ours a request waits 15 s for an absent
 * agent; this is half of that, so that a restart of the gateway costs no execution.
 */
const LONGEST_MS = 8000

export const BACKOFF: BackoffRanges = {
  lost: { shortestMs: 0, firstMs: 1000, longestMs: LONGEST_MS },
  conflict: { shortestMs: 3000, firstMs: LONGEST_MS, longestMs: LONGEST_MS },
  refused: { shortestMs: 30_000, firstMs: 60_000, longestMs: 60_000 },
}

/** Full jitter: a random time within a window that doubles, or many agents would come back at one moment. */
export class Backoff {
  readonly #range: BackoffRange
  readonly #random: () => number
  #attempt = 0

  constructor(range: BackoffRange, random: () => number = Math.random) {
    this.#range = range
    this.#random = random
  }

  /** @returns milliseconds to wait before the next attempt */
  next(): number {
    const { shortestMs, firstMs, longestMs } = this.#range
    const windowMs = Math.min(firstMs * 2 ** this.#attempt, longestMs)
    // Further doubling would change nothing, and would overflow after years.
    this.#attempt = Math.min(this.#attempt + 1, 16)
    return shortestMs + this.#random() * (windowMs - shortestMs)
  }

  reset(): void {
    this.#attempt = 0
  }
}
