import pLimit, { type LimitFunction } from 'p-limit'

/** Reads at most `places` uploads per user at once, in order. Callers bring their own timeout. */
export class Turns {
  readonly #places: number
  readonly #users = new Map<string, LimitFunction>()

  constructor(places: number) {
    this.#places = places
  }

  /** The turns of one user: runs a function as soon as a place is free, which it keeps until that settles. */
  of(user: string): LimitFunction {
    const known = this.#users.get(user)
    if (known !== undefined) return known
    const turns = pLimit(this.#places)
    this.#users.set(user, turns)
    return turns
  }
}
