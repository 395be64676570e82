import { connectionWords, isReady, type Status } from './status.ts'

const PERIOD_MS = 200
const WINDOW_MS = 60_000
/** If the loop was blocked longer than this in the last minute, the agent is not healthy. */
const BLOCKED_MS = WINDOW_MS / 2

/** Records when an event loop was blocked in the last minute. Times ascend, in milliseconds. */
export class LoopDelays {
  #blocks: { readonly endedAt: number; readonly ms: number }[] = []
  #turnedAt: number

  constructor(startedAt: number) {
    this.#turnedAt = startedAt
  }

  /** Call this every 200 ms. A longer interval means that the loop was blocked. */
  turned(at: number): void {
    const ms = at - this.#turnedAt - PERIOD_MS
    this.#turnedAt = at
    this.#blocks = this.#blocks.filter(({ endedAt }) => endedAt > at - WINDOW_MS)
    // The list has at most 300 blocks, because each block takes at least 200 ms of the minute.
    if (ms > 0) this.#blocks.push({ endedAt: at, ms })
  }

  /** Returns the longest block in milliseconds. */
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

  /** Returns the longest block in the last minute. */
  longestMs(): number {
    this.#look()
    return this.#delays.longest()
  }

  /** Returns the sum of all blocks in the last minute. */
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

/** The answer to a probe. */
export interface Health {
  readonly ok: boolean
  readonly line: string
}

/** Reports a loop that is often blocked. While the loop is blocked, a probe gets no answer in time. */
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
