import { connectionWords, isReady, type Status } from './status.ts'

const PERIOD_MS = 200
const WINDOW_MS = 60_000
/** An agent whose loop stood still for longer than this, of the last minute, no longer works. */
const BLOCKED_MS = WINDOW_MS / 2

/** When an event loop stood still in the last minute, by the moments at which it turned (ms, rising). */
export class LoopDelays {
  #blocks: { readonly endedAt: number; readonly ms: number }[] = []
  #turnedAt: number

  constructor(startedAt: number) {
    this.#turnedAt = startedAt
  }

  /** Call it every 200 ms. What it is late by is the time in which the loop stood still. */
  turned(at: number): void {
    const ms = at - this.#turnedAt - PERIOD_MS
    this.#turnedAt = at
    this.#blocks = this.#blocks.filter(({ endedAt }) => endedAt > at - WINDOW_MS)
    // At most one per 200 ms, so there are at most 300.
    if (ms > 0) this.#blocks.push({ endedAt: at, ms })
  }

  /** The longest one, in milliseconds. */
  longest(): number {
    return Math.max(0, ...this.#blocks.map(({ ms }) => ms))
  }

  /** How long the loop stood still in the last minute, in milliseconds. */
  total(): number {
    const from = this.#turnedAt - WINDOW_MS
    return this.#blocks.reduce((sum, { endedAt, ms }) => sum + Math.min(ms, endedAt - from), 0)
  }
}

/** Watches this process's own event loop, five times a second. */
export class LoopMonitor implements Disposable {
  readonly #delays = new LoopDelays(performance.now())
  readonly #timer = setInterval(() => this.#look(), PERIOD_MS).unref()

  /** The longest time without a break that the loop stood still in the last minute, in milliseconds. */
  longestMs(): number {
    this.#look()
    return this.#delays.longest()
  }

  /** How long it stood still in the last minute altogether, in milliseconds. */
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

/** The answer to a probe: an HTTP status, and a line for the person who looks. */
export interface Health {
  readonly ok: boolean
  readonly line: string
}

/**
 * Whether the process is alive. A blocked loop answers nothing, which the probe's own timeout notices; any answer
 * proves that the loop turns. So this reports only what an answer would hide: a loop that hardly ever turns.
 */
export function liveness(blockedMs: number): Health {
  if (blockedMs <= BLOCKED_MS) return { ok: true, line: 'ok' }
  return {
    ok: false,
    line: `the event loop was blocked for ${Math.round(blockedMs / 1000)} s of the last minute`,
  }
}

/** Whether the gateway can send executions to this agent. */
export function readiness(status: Status): Health {
  return { ok: isReady(status), line: connectionWords(status) }
}
