import type { Review } from './review.ts'

type Waiter = (review: Review) => void

/** Clients that wait for a decision. */
export class Waiters {
  readonly #waiters = new Map<string, Set<Waiter>>()

  /** Settles with the review as soon as it is told. Never, when the signal comes before. */
  wait(sessionId: string, signal: AbortSignal): Promise<Review> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(sessionId) ?? new Set()
      this.#waiters.set(sessionId, waiters.add(resolve))
      signal.addEventListener('abort', () => this.#remove(sessionId, resolve), { once: true })
    })
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
