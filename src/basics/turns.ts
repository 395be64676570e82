import pLimit, { type LimitFunction } from 'p-limit'

interface Queue {
  readonly inTurn: LimitFunction
  /** Number of works that run or wait. */
  works: number
}

/** Limits a user's parallel uploads to `places`. Others wait in order. Callers set their own time limit. */
export class Turns {
  readonly #places: number
  /** Only users who have work: over the years there are very many users. */
  readonly #queues = new Map<string, Queue>()

  constructor(places: number) {
    this.#places = places
  }

  get users(): number {
    return this.#queues.size
  }

  /** Runs `work` as soon as a place of the user is free. It keeps the place until it settles. */
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
