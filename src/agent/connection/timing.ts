import { STREAM_TIMING, type StreamTiming } from '../../dial/health.ts'
import { longestEndMs } from '../../runtime/ending/kill-ladder.ts'

/**
 * Limits of the wait between two attempts, in milliseconds. Each wait is a random time between `shortestMs`
 * and the end of a window. The window starts with `firstMs`, and doubles up to `longestMs`.
 */
interface BackoffRange {
  readonly shortestMs: number
  readonly firstMs: number
  readonly longestMs: number
}

/** One range for each reason why the last attempt ended. */
interface BackoffRanges {
  readonly lost: BackoffRange
  /**
   * The gateway needs a minute to notice that this agent's last stream has ended. If the stream belongs to
   * another agent, the conflict may last for ever.
   */
  readonly conflict: BackoffRange
  /** A person has to correct the key. Until then the attempts must not fill the log. */
  readonly refused: BackoffRange
}

/**
 * Longest wait in milliseconds after a failure that can disappear by itself. Gateways keep a request for an
 * absent agent for 15 s. The agent returns within half of that, so no execution fails when a gateway
 * restarts.
 */
const MAX_MS = 8000

/**
 * Computes waits with full jitter: each wait is a random time within a window that doubles. Without jitter,
 * many agents would reconnect at once.
 */
export class Backoff {
  readonly #range: BackoffRange
  readonly #random: () => number
  #attempt = 0

  constructor(range: BackoffRange, random: () => number = Math.random) {
    this.#range = range
    this.#random = random
  }

  /** Returns the milliseconds to wait before the next attempt. */
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

/** All in milliseconds. */
export interface Timing extends StreamTiming {
  /** After a stream that lasted this long, waits start again from the shortest. */
  readonly healthyMs: number
  /**
   * Longest time for which a draining agent accepts sessions. It waits for a moment when no session is open.
   */
  readonly lastSessionsMs: number
  /**
   * Time between checks for a renewed credential, after the gateway refused the old credential. hoop's agent
   * tries again after 2, 4 and 8 s.
   */
  readonly renewalMs: number
  /**
   * Time between polls (`mode=embedded`). After 5 s without a poll the gateway shows the agent as offline.
   */
  readonly pollEveryMs: number
  /** The same conflict is logged once per this time. */
  readonly conflictLogMs: number
  /** Time between packets of log lines, and from the connection to the first packet (protocol.md 3.7). */
  readonly shipLogsMs: number
  /** Time for the last output and the closes, if the agent is told to stop and the gateway reads nothing. */
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
    lost: { shortestMs: 0, firstMs: 1000, longestMs: MAX_MS },
    conflict: { shortestMs: 3000, firstMs: MAX_MS, longestMs: MAX_MS },
    refused: { shortestMs: 30_000, firstMs: 60_000, longestMs: 60_000 },
  },
}

export interface StopSettings {
  readonly drainMs: number
  readonly killGraceMs: number
}

/**
 * Returns the longest time in milliseconds from the first SIGTERM to the agent's end. If the agent is killed
 * earlier, it can leave processes: if a command ignores SIGTERM, the agent looks for the command's `setsid`
 * children only after the command's death.
 */
export function longestStopMs({ drainMs, killGraceMs }: StopSettings): number {
  return drainMs + longestEndMs(killGraceMs) + CLOSES_MS
}
