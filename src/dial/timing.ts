/** How long things on one stream may take, and how often they are done: milliseconds. */
export interface StreamTiming {
  /** From the first step to the gateway's first packet: grpc-js has no limit of its own. */
  readonly dialMs: number
  /** `whenever`: once connected the gateway may take its time, since it waits for an agent, and answers health checks meanwhile. */
  readonly firstPacket: 'within-dial' | 'whenever'
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
}

export const STREAM_TIMING: StreamTiming = {
  dialMs: 20_000,
  firstPacket: 'within-dial',
  keepaliveMs: 10_000,
  stallMs: 60_000,
  closeMs: 2000,
  healthEveryMs: 20_000,
  healthDeadlineMs: 10_000,
}
