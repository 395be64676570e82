import { BACKOFF, type BackoffRanges } from './backoff.ts'

/** How long things may take, and how often they are done: milliseconds. */
export interface Timing {
  /** From an attempt's first step to the gateway's first packet: grpc-js has no limit of its own. */
  readonly dialMs: number
  /** As hoop's agent does; the gateway ignores it, proxies between the two do not (protocol.md 3.1). */
  readonly keepaliveMs: number
  /** A gateway that takes no byte for this long is gone, even if its connection stands. */
  readonly stallMs: number
  /** How long an orderly end may take before the socket is dropped. */
  readonly closeMs: number
  /** From the start of one health check to the next; shorter than the idle limit of usual load balancers. */
  readonly healthEveryMs: number
  /** For the answer of one. Two that stay without end the stream: 50 s after the last sign of life at most. */
  readonly healthDeadlineMs: number
  /** A stream that lasted this long was good: the next loss starts the waits over. */
  readonly healthyMs: number
  /** With `mode=embedded`: the gateway calls an agent offline that has not asked for 5 s. */
  readonly pollEveryMs: number
  /** The same conflict is said once in this time. */
  readonly conflictLogMs: number
  readonly backoff: BackoffRanges
}

export const TIMING: Timing = {
  dialMs: 20_000,
  keepaliveMs: 10_000,
  stallMs: 60_000,
  closeMs: 2000,
  healthEveryMs: 20_000,
  healthDeadlineMs: 10_000,
  healthyMs: 60_000,
  pollEveryMs: 5000,
  conflictLogMs: 60_000,
  backoff: BACKOFF,
}
