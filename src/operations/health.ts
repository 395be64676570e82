import { connectionWords, isReady, type Status } from './status.ts'

const PERIOD_MS = 200
const WINDOW_MS = 60_000
/** Maximum time in the last minute for which the loop of a healthy agent was blocked. */
const BLOCKED_MS = WINDOW_MS / 2

/**
 * Records when an event loop was blocked in the last minute. Gets the times of the loop's turns in
 * ascending order, in milliseconds.
 */
export class LoopDelays {
  #blocks: { readonly endedAt: number; readonly ms: number }[] = []
  #turnedAt: number

  constructor(startedAt: number) {
    this.#turnedAt = startedAt
  }

  /** Call this every 200 ms. A delay is the time in which the loop was blocked. */
  turned(at: number): void {
    const ms = at - this.#turnedAt - PERIOD_MS
    this.#turnedAt = at
    this.#blocks = this.#blocks.filter(({ endedAt }) => endedAt > at - WINDOW_MS)
    // The list has at most one block per 200 ms, so at most 300 blocks.
    if (ms > 0) this.#blocks.push({ endedAt: at, ms })
  }

  /** Returns the longest block, in milliseconds. */
  longest(): number {
    return Math.max(0, ...this.#blocks.map(({ ms }) => ms))
  }

  /** Returns how long the loop was blocked in the last minute, in milliseconds. */
  total(): number {
    const from = this.#turnedAt - WINDOW_MS
    return this.#blocks.reduce((sum, { endedAt, ms }) => sum + Math.min(ms, endedAt - from), 0)
  }
}

/** Measures the event loop of this process five times a second. */
export class LoopMonitor implements Disposable {
  readonly #delays = new LoopDelays(performance.now())
  readonly #timer = setInterval(() => this.#look(), PERIOD_MS).unref()

  /** Returns the longest single block of the loop in the last minute, in milliseconds. */
  longestMs(): number {
    this.#look()
    return this.#delays.longest()
  }

  /** Returns the sum of all blocks in the last minute, in milliseconds. */
  blockedMs(): number {
    this.#look()
    return this.#delays.total()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    this.#delays.turned(performance.now())
  }
}

/** The answer to a probe: an HTTP status, and a line for people. */
export interface Health {
  readonly ok: boolean
  readonly line: string
}

/**
 * Whether the process is alive. A blocked loop does not answer, so the probe's timeout finds it.
 * Any answer proves that the loop turns, so this function reports only a loop that seldom turns.
 */
export function liveness(blockedMs: number): Health {
  if (blockedMs <= BLOCKED_MS) return { ok: true, line: 'ok' }
  return {
    ok: false,
    line: `the event loop was blocked for ${Math.round(blockedMs / 1000)} s of the last minute`,
  }
}

export function readiness(status: Status): Health {
  return { ok: isReady(status), line: connectionWords(status) }
}
