/** Where the waits between attempts lie, milliseconds: between the shortest and a window that doubles. */
export interface BackoffRange {
  readonly shortestMs: number
  /** The first window. */
  readonly firstMs: number
  readonly longestMs: number
}

/** By what ended the last attempt. */
export interface BackoffRanges {
  readonly lost: BackoffRange
  /** The gateway notices the end of our last stream within a minute or so; another agent may stay for ever. */
  readonly conflict: BackoffRange
  /** A key is put right by people. Meanwhile nobody's log is to be filled. */
  readonly refused: BackoffRange
}

/**
 * Whoever asks for an execution waits 15 s for an agent that is away, with hoop's gateway and ours: half of it is the
 * longest wait where nobody has to do anything first, so that a gateway that restarts costs no execution.
 */
const LONGEST_MS = 8000

export const BACKOFF: BackoffRanges = {
  lost: { shortestMs: 0, firstMs: 1000, longestMs: LONGEST_MS },
  conflict: { shortestMs: 3000, firstMs: LONGEST_MS, longestMs: LONGEST_MS },
  refused: { shortestMs: 30_000, firstMs: 60_000, longestMs: 60_000 },
}

/** Full jitter: anything within a window that doubles, so that a fleet does not come back in one moment. */
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
    // Further doubling would change nothing, and after years overflow.
    this.#attempt = Math.min(this.#attempt + 1, 16)
    return shortestMs + this.#random() * (windowMs - shortestMs)
  }

  reset(): void {
    this.#attempt = 0
  }
}
