import { setTimeout as delay } from 'node:timers/promises'
import type { HealthAnswer } from './channel.ts'

export interface StreamTiming {
  /**
   * Time from the first step of the connection to the gateway's first packet. grpc-js has no limit for this
   * time.
   */
  readonly dialMs: number
  /**
   * `whenever` means that the first packet has no time limit, because the gateway waits for an agent. The
   * gateway answers health checks meanwhile.
   */
  readonly firstPacket: 'within-dial' | 'whenever'
  /**
   * Time between keepalive packets. The packets make proxies keep the connection, and the gateway ignores
   * them (protocol.md 3.1).
   */
  readonly keepaliveMs: number
  /**
   * If the gateway reads no byte for this time, the agent reports a stall. The agent stays connected, because
   * the gateway may wait for a client.
   */
  readonly stallMs: number
  /** Time for an orderly end. After this time, the stream drops the socket. */
  readonly closeMs: number
  /**
   * Time from the start of one health check to the start of the next. It is below the idle limit of usual
   * load balancers.
   */
  readonly healthEveryMs: number
  /**
   * Time for one answer. Two missed answers end the stream. This happens at most 50 s after the last sign of
   * life.
   */
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

/**
 * A moment by two clocks. Measure intervals with the monotonic clock, because the wall clock may be changed
 * at any time.
 */
export interface Moment {
  /** The value of `performance.now()`. */
  readonly monotonicMs: number
  /** The time to show to people. */
  readonly wall: Date
}

export function now(): Moment {
  return { monotonicMs: performance.now(), wall: new Date() }
}

export interface GatewayHealth {
  readonly at: Moment
  readonly roundTripMs: number
}

/**
 * This number of missed answers in a row ends the stream. One missed answer proves nothing: the answer may be
 * lost, or this process may have been stopped.
 */
const MISSES = 2

/** @param again whether the previous question got no answer */
type Ask = (deadlineMs: number, again: boolean) => Promise<HealthAnswer>

/**
 * Asks for health by calls, not by HTTP/2 pings: grpc-go ends connections with more than one ping in 5
 * minutes.
 */
export class HealthWatch {
  readonly #ask: Ask
  readonly #timing: Pick<StreamTiming, 'healthEveryMs' | 'healthDeadlineMs'>
  #latest: GatewayHealth | undefined

  constructor(ask: Ask, timing: Pick<StreamTiming, 'healthEveryMs' | 'healthDeadlineMs'>) {
    this.#ask = ask
    this.#timing = timing
  }

  get latest(): GatewayHealth | undefined {
    return this.#latest
  }

  /** Settles when the gateway has not answered two consecutive checks, or when the signal aborts. */
  async untilSilent(signal: AbortSignal): Promise<void> {
    const { healthEveryMs, healthDeadlineMs } = this.#timing
    for (let misses = 0; misses < MISSES && !signal.aborted;) {
      const from = performance.now()
      const answer = await this.#ask(healthDeadlineMs, misses > 0)
      const tookMs = performance.now() - from
      if (answer === 'answered') this.#latest = { at: now(), roundTripMs: tookMs }
      // `unknown` is neither an answer nor a miss: if the connection is broken, the stream ends anyway.
      if (answer !== 'unknown') misses = answer === 'silent' ? misses + 1 : 0
      const restMs = Math.max(0, healthEveryMs - tookMs)
      if (misses < MISSES) await delay(restMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
