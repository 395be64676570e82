import { setTimeout as delay } from 'node:timers/promises'
import type { HealthAnswer } from './channel.ts'
import { now, type Moment } from '../basics/moment.ts'
import type { StreamTiming } from './timing.ts'

export interface GatewayHealth {
  readonly at: Moment
  readonly roundTripMs: number
}

/** Missed answers in a row that end the stream. One answer may be lost, or this process stood still. */
const MISSES = 2

/** @param again whether the last question was not answered */
type Ask = (deadlineMs: number, again: boolean) => Promise<HealthAnswer>

/** Asks whether the gateway is there. Not by HTTP/2 pings: grpc-go ends connections with more than one in 5 minutes. */
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

  /** Settles when the gateway has answered none of two checks in a row, or at the signal. */
  async untilSilent(signal: AbortSignal): Promise<void> {
    const { healthEveryMs, healthDeadlineMs } = this.#timing
    for (let misses = 0; misses < MISSES && !signal.aborted;) {
      const from = performance.now()
      const answer = await this.#ask(healthDeadlineMs, misses > 0)
      const tookMs = performance.now() - from
      if (answer === 'answered') this.#latest = { at: now(), roundTripMs: tookMs }
      // `unknown` counts as neither: if the connection is broken, the stream ends by itself.
      if (answer !== 'unknown') misses = answer === 'silent' ? misses + 1 : 0
      const restMs = Math.max(0, healthEveryMs - tookMs)
      if (misses < MISSES) await delay(restMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
