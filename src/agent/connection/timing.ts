import { STREAM_TIMING, type StreamTiming } from '../../dial/timing.ts'
import { longestEndMs } from '../../runtime/ending/ending-times.ts'
import { BACKOFF, type BackoffRanges } from './backoff.ts'

/** Time to send the rest of the output and the closes, after the last command was killed. */
const CLOSES_MS = 5000

/** The agent's times, in milliseconds. */
export interface Timing extends StreamTiming {
  /** After a stream that lasted this long, waits start again from the shortest. */
  readonly healthyMs: number
  /** How long a draining agent goes on to take sessions, so that it can leave at a moment at which none is open. */
  readonly lastSessionsMs: number
  /** How often an agent whose credential is refused looks for a renewed one. hoop's agent tries after 2, 4 and 8 s. */
  readonly renewalMs: number
  /** `mode=embedded` only. The gateway calls an agent offline after 5 s without a question. */
  readonly pollEveryMs: number
  /** The same conflict is logged once per this time. */
  readonly conflictLogMs: number
  /** Between packets of log lines, and from the connection to the first packet (protocol.md 3.7). */
  readonly shipLogsMs: number
  /** For the last output and the closes, when the agent is told to stop and the gateway takes nothing. */
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
  backoff: BACKOFF,
}

export interface StopSettings {
  readonly drainMs: number
  readonly killGraceMs: number
}

/**
 * The longest time from an agent's first SIGTERM to its end. Killing the agent earlier can leave processes behind:
 * when a command ignores SIGTERM and has started another one with `setsid`, the agent looks for the second only after
 * the first is dead.
 */
export function longestStopMs({ drainMs, killGraceMs }: StopSettings): number {
  return drainMs + longestEndMs(killGraceMs) + CLOSES_MS
}
