import { STREAM_TIMING, type StreamTiming } from '../../dial/health.ts'
import { longestEndMs } from '../../runtime/ending/kill-ladder.ts'

/**
 * Range of the waits between attempts, in milliseconds: the shortest wait, and a window that
 * doubles.
 */
interface BackoffRange {
  readonly shortestMs: number
  /** Length of the first window. */
  readonly firstMs: number
  readonly longestMs: number
}

/** One range for each reason why the last attempt ended. */
interface BackoffRanges {
  readonly lost: BackoffRange
  /**
   * The gateway needs a minute to notice that our last stream has ended. The stream of another
   * agent may last for ever.
   */
  readonly conflict: BackoffRange
  /** A person has to correct the key. Until then the attempts must not fill the log. */
  readonly refused: BackoffRange
}

/**
 * Maximum wait in milliseconds when the cause can disappear by itself. In hoop's gateway and in the
 * embedded gateway, a request waits 15 s for an absent agent. Agents try again after half of this
 * time, so no execution fails when the gateway restarts.
 */
const LONGEST_MS = 8000

/**
 * Waits with full jitter: a random time within a window that doubles. Otherwise many agents would
 * reconnect at the same moment.
 */
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

/** Time in milliseconds to send the remaining output and the closes after the last command was killed. */
const CLOSES_MS = 5000

/** The agent's times, in milliseconds. */
export interface Timing extends StreamTiming {
  /** After a stream that lasted this long, waits start again from the shortest. */
  readonly healthyMs: number
  /**
   * Maximum time for which a draining agent still accepts sessions, until it can leave at a moment
   * without open sessions.
   */
  readonly lastSessionsMs: number
  /**
   * Time between checks for a renewed credential after a refusal. hoop's agent tries after 2, 4 and
   * 8 s.
   */
  readonly renewalMs: number
  /**
   * Time between polls, for `mode=embedded` only. After 5 s without a poll the gateway shows the
   * agent as offline.
   */
  readonly pollEveryMs: number
  /** The same conflict is logged once per this time. */
  readonly conflictLogMs: number
  /** Time between packets of log lines, and from the connection to the first packet (protocol.md 3.7). */
  readonly shipLogsMs: number
  /**
   * Maximum time to send the last output and the closes, when the agent is told to stop and the
   * gateway reads nothing.
   */
  readonly closesMs: number
  readonly backoff: BackoffRanges
}

export const TIMING: Timing = {
  ...STREAM_TIMING,
  healthyMs: 60_000,
  lastSessionsMs: 10_000,
  renewalMs: 2000,
  pollEveryMs: 5000,
  conflictLogMs: 60_000,
  shipLogsMs: 2000,
  closesMs: CLOSES_MS,
  backoff: {
    lost: { shortestMs: 0, firstMs: 1000, longestMs: LONGEST_MS },
    conflict: { shortestMs: 3000, firstMs: LONGEST_MS, longestMs: LONGEST_MS },
    refused: { shortestMs: 30_000, firstMs: 60_000, longestMs: 60_000 },
  },
}

export interface StopSettings {
  readonly drainMs: number
  readonly killGraceMs: number
}

/**
 * Returns the maximum time in milliseconds from an agent's first SIGTERM to its end. Killing the agent
 * earlier can leave processes. For example, if a command ignores SIGTERM and has started another command
 * with `setsid`, the agent looks for the second command only after the first is dead.
 */
export function longestStopMs({ drainMs, killGraceMs }: StopSettings): number {
  return drainMs + longestEndMs(killGraceMs) + CLOSES_MS
}
