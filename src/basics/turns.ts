import pLimit, { type LimitFunction } from 'p-limit'

interface Queue {
  readonly inTurn: LimitFunction
  /** Number of calls of `run` whose `work` runs or waits. */
  works: number
}

/**
 * Lets at most `places` works of a user run at once. Further works wait in order. Callers set their own time
 * limit.
 */
export class Turns {
  readonly #places: number
  /** Contains only users whose work runs or waits. Over the years there are very many users. */
  readonly #queues = new Map<string, Queue>()

  constructor(places: number) {
    this.#places = places
  }

  get users(): number {
    return this.#queues.size
  }

  /** Runs `work` as soon as the user has a free place. The place is free again after `work` has settled. */
  async run<T>(user: string, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(user) ?? { inTurn: pLimit(this.#places), works: 0 }
    this.#queues.set(user, queue)
    queue.works += 1
    try {
      return await queue.inTurn(work)
    } finally {
      queue.works -= 1
      if (queue.works === 0) this.#queues.delete(user)
    }
  }
}
