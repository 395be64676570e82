/** Failures in a row after which Presidio is asked no more. Fewer may be chance. */
const FAILURES = 3
/** A rest is this many times as long as the failure before it: waiting then takes a tenth of a session's time. */
const REST = 10
/** Masking comes back this soon after the services have. */
const LONGEST_REST_MS = 60_000

/**
 * Says when a session asks Presidio no more, since it would only wait. Each session has its own: a text that makes the
 * services fail must not unmask the output of others.
 */
export class Breaker {
  readonly #now: () => number
  #failures = 0
  #until = 0

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Whether not to ask now. Between two rests one try is made. */
  get isOpen(): boolean {
    return this.#failures >= FAILURES && this.#now() < this.#until
  }

  /** Asks, and learns from what comes of it. */
  async watch<Result>(ask: () => Promise<Result>): Promise<Result> {
    const from = this.#now()
    try {
      const result = await ask()
      this.#failures = 0
      return result
    } catch (error) {
      this.#failures += 1
      this.#until = this.#now() + Math.min(LONGEST_REST_MS, REST * (this.#now() - from))
      throw error
    }
  }
}
