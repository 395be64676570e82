import { onAbort } from '../../basics/abort.ts'
import type { Review } from './review.ts'

type Waiter = (review?: Review) => void

/** Clients that wait for a decision. */
export class Waiters {
  readonly #waiters = new Map<string, Set<Waiter>>()

  /** Gives the review as soon as it is told, or undefined when the signal comes before. */
  async wait(sessionId: string, signal: AbortSignal): Promise<Review | undefined> {
    let wake: Waiter = () => undefined
    const told = new Promise<Review | undefined>((resolve) => (wake = resolve))
    const waiters = this.#waiters.get(sessionId) ?? new Set()
    this.#waiters.set(sessionId, waiters.add(wake))
    using _ = onAbort(signal, wake)
    try {
      return await told
    } finally {
      this.#remove(sessionId, wake)
    }
  }

  tell(review: Review): void {
    const waiters = this.#waiters.get(review.sessionId) ?? []
    this.#waiters.delete(review.sessionId)
    for (const wake of waiters) wake(review)
  }

  #remove(sessionId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(sessionId)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(sessionId)
  }
}
