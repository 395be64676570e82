import { setTimeout } from 'node:timers/promises'
import { RequestRefused } from './refusals/request-refused.ts'

/** Works of one user that run or wait. The page and a command line ask for a few at once. */
const MAX_WORKS_PER_USER = 16
/** Works of all users. A work that waits keeps its request in memory, which is some KiB. */
const MAX_WORKS = 256
/**
 * Pause between two works. A new connection takes several turns of the event loop until it is answered: with
 * a single turn between two works, each further work delayed `/healthz`.
 */
const PAUSE_MS = 10

/**
 * The place of the gateway for requests that compute for longer than some milliseconds: one work runs at a
 * time, and the users who have waiting works take turns. Everything else of the gateway goes on between
 * two works. A work must end by itself, and must not block for longer than a tenth of a second: it counts
 * what it reads or compares, not the time.
 */
export class LongWork {
  /** Beginnings of the waiting works, by user. The user at the front is the next one. */
  readonly #waiting = new Map<string, (() => void)[]>()
  readonly #counts = new Map<string, number>()
  #count = 0
  #isBusy = false

  /** @throws RequestRefused if too many works wait already */
  async run<T>(user: string, work: () => T | Promise<T>): Promise<T> {
    const own = this.#counts.get(user) ?? 0
    if (own >= MAX_WORKS_PER_USER || this.#count >= MAX_WORKS)
      throw new RequestRefused(
        'too-much-at-once',
        `${own >= MAX_WORKS_PER_USER ? 'your' : 'many'} searches and comparisons run or wait already; try again when they have ended`,
      )
    this.#add(user, 1)
    try {
      await this.#turn(user)
      return await work()
    } finally {
      this.#add(user, -1)
      await setTimeout(PAUSE_MS)
      this.#next()
    }
  }

  async #turn(user: string): Promise<void> {
    if (!this.#isBusy) {
      this.#isBusy = true
      return
    }
    await new Promise<void>((begin) => {
      this.#waiting.set(user, [...(this.#waiting.get(user) ?? []), begin])
    })
  }

  #next(): void {
    const [first] = this.#waiting
    if (first === undefined) {
      this.#isBusy = false
      return
    }
    const [user, [begin, ...others]] = first
    this.#waiting.delete(user)
    if (others.length > 0) this.#waiting.set(user, others)
    begin?.()
  }

  #add(user: string, works: number): void {
    const own = (this.#counts.get(user) ?? 0) + works
    this.#count += works
    if (own === 0) this.#counts.delete(user)
    else this.#counts.set(user, own)
  }
}
