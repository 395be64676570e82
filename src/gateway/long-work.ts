import { setTimeout } from 'node:timers/promises'
import { refused } from './refusals/request-refused.ts'

/** Works of one user that run or wait. The page and a command line ask for a few at once. */
const MAX_WORKS_PER_USER = 16
/** Works of all users. */
const MAX_WORKS = 256
/** A work that waits keeps its request in memory. Two scripts of the largest size fit. */
const MAX_BYTES_PER_USER = 32 * 1024 * 1024
const MAX_BYTES = 128 * 1024 * 1024

/** What the works of a user, or of all users, take. */
interface Load {
  readonly works: number
  readonly bytes: number
}

const NOTHING: Load = { works: 0, bytes: 0 }
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
  readonly #loads = new Map<string, Load>()
  #load = NOTHING
  #isBusy = false

  /**
   * @param bytes approximate size of the request, if it may be large
   * @throws RequestRefused if too many works wait already
   */
  async run<T>(user: string, work: () => T | Promise<T>, bytes = 0): Promise<T> {
    const own = plus(this.#loads.get(user), 1, bytes)
    const all = plus(this.#load, 1, bytes)
    const isOwn = own.works > MAX_WORKS_PER_USER || own.bytes > MAX_BYTES_PER_USER
    if (isOwn || all.works > MAX_WORKS || all.bytes > MAX_BYTES)
      throw refused('too-much-at-once/work', { whose: isOwn ? 'your' : 'many' })
    this.#add(user, 1, bytes)
    try {
      await this.#turn(user)
      return await work()
    } finally {
      this.#add(user, -1, -bytes)
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

  #add(user: string, works: number, bytes: number): void {
    const own = plus(this.#loads.get(user), works, bytes)
    this.#load = plus(this.#load, works, bytes)
    if (own.works === 0) this.#loads.delete(user)
    else this.#loads.set(user, own)
  }
}

function plus(load: Load | undefined, works: number, bytes: number): Load {
  return { works: (load?.works ?? 0) + works, bytes: (load?.bytes ?? 0) + bytes }
}
