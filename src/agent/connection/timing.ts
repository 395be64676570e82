import { STREAM_TIMING, type StreamTiming } from '../../dial/timing.ts'
import { BACKOFF, type BackoffRanges } from './backoff.ts'

/** The agent's: milliseconds. */
export interface Timing extends StreamTiming {
  /** A stream that lasted this long was good: the next loss starts the waits over. */
  readonly healthyMs: number
  /** With `mode=embedded`: the gateway calls an agent offline that has not asked for 5 s. */
  readonly pollEveryMs: number
  /** The same conflict is said once in this time. */
  readonly conflictLogMs: number
  /** From one packet of log lines to the next, and from the connection to the first (protocol.md 3.7). */
  readonly shipLogsMs: number
  readonly backoff: BackoffRanges
}

export const TIMING: Timing = {
  ...STREAM_TIMING,
  healthyMs: 60_000,
  pollEveryMs: 5000,
  conflictLogMs: 60_000,
  shipLogsMs: 2000,
  backoff: BACKOFF,
}
