/** Times of one stream, in milliseconds. */
export interface StreamTiming {
  /** Longest time from the first step to the gateway's first packet; grpc-js has no limit for that. */
  readonly dialMs: number
  /** `whenever`: the gateway may wait for an agent once it is connected. It answers health checks meanwhile. */
  readonly firstPacket: 'within-dial' | 'whenever'
  /** Time between keepalive packets, which are for proxies: the gateway ignores them (protocol.md 3.1). */
  readonly keepaliveMs: number
  /** After this time without a byte taken the agent reports a stall, but stays: the gateway may wait for a client. */
  readonly stallMs: number
  /** How long an orderly end may take before the socket is dropped. */
  readonly closeMs: number
  /** Time from the start of one health check to the next; shorter than the idle limit of usual load balancers. */
  readonly healthEveryMs: number
  /** For the answer to one check. Two missed ones end the stream, at most 50 s after the last sign of life. */
  readonly healthDeadlineMs: number
}

export const STREAM_TIMING: StreamTiming = {
  dialMs: 20_000,
  firstPacket: 'within-dial',
  keepaliveMs: 10_000,
  stallMs: 10_000,
  closeMs: 2000,
  healthEveryMs: 20_000,
  healthDeadlineMs: 10_000,
}
