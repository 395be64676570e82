import pLimit, { type LimitFunction } from 'p-limit'

/**
 * Limits a user's parallel uploads to `places`; the others wait in order. Callers bring their own timeout.
 */
export class Turns {
  readonly #places: number
  readonly #users = new Map<string, LimitFunction>()

  constructor(places: number) {
    this.#places = places
  }

  /**
   * Returns the queue of one user. It runs a function as soon as a place is free; the function keeps the
   * place until it settles.
   */
  of(user: string): LimitFunction {
    const known = this.#users.get(user)
    if (known !== undefined) return known
    const turns = pLimit(this.#places)
    this.#users.set(user, turns)
    return turns
  }
}
