import type { Status } from './status.ts'
import { connectionWords, isReady } from './status-text.ts'

const PERIOD_MS = 200
const WINDOW_MS = 60_000
/** More of the last minute than this without a turn is no work any more. */
const BLOCKED_MS = WINDOW_MS / 2

/** Blocks of an event loop within the last minute, from the times at which it turned (milliseconds, rising). */
export class LoopDelays {
  #blocks: { readonly endedAt: number; readonly ms: number }[] = []
  #turnedAt: number

  constructor(startedAt: number) {
    this.#turnedAt = startedAt
  }

  /** To be called every 200 ms; what it is late by is the time in which the loop did not turn. */
  turned(at: number): void {
    const ms = at - this.#turnedAt - PERIOD_MS
    this.#turnedAt = at
    this.#blocks = this.#blocks.filter(({ endedAt }) => endedAt > at - WINDOW_MS)
    // At most one in 200 ms: 300 of them.
    if (ms > 0) this.#blocks.push({ endedAt: at, ms })
  }

  /** The longest one, milliseconds. */
  longest(): number {
    return Math.max(0, ...this.#blocks.map(({ ms }) => ms))
  }

  /** All of them together, milliseconds of the last minute. */
  total(): number {
    const from = this.#turnedAt - WINDOW_MS
    return this.#blocks.reduce((sum, { endedAt, ms }) => sum + Math.min(ms, endedAt - from), 0)
  }
}

/** Watches this process's own event loop, 5 looks a second. */
export class LoopMonitor implements Disposable {
  readonly #delays = new LoopDelays(performance.now())
  readonly #timer = setInterval(() => this.#look(), PERIOD_MS).unref()

  /** How long the loop did not turn at a stretch in the last minute, at most; milliseconds. */
  longestMs(): number {
    this.#look()
    return this.#delays.longest()
  }

  /** How much of the last minute it did not turn; milliseconds. */
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

/** What a probe is told: an HTTP status, and a line for the person who looks. */
export interface AgentHealth {
  readonly ok: boolean
  readonly line: string
}

/**
 * Whether the process lives. A loop that is blocked answers nothing: the probe's own timeout tells that, and an answer
 * is the proof that it turns. Said here is only what the answer would hide: a loop that hardly ever turns.
 */
export function liveness(blockedMs: number): AgentHealth {
  if (blockedMs <= BLOCKED_MS) return { ok: true, line: 'ok' }
  return {
    ok: false,
    line: `the event loop did not turn for ${Math.round(blockedMs / 1000)} s of the last minute`,
  }
}

/** Whether executions get here. */
export function readiness(status: Status): AgentHealth {
  return { ok: isReady(status), line: connectionWords(status) }
}
