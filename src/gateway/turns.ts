import pLimit, { type LimitFunction } from 'p-limit'

/**
 * What one user sends is read so many pieces at a time; the rest of his waits unread, in its order, and nobody else
 * for him. Whoever waits has his own end of patience.
 */
export class Turns {
  readonly #places: number
  readonly #users = new Map<string, LimitFunction>()

  constructor(places: number) {
    this.#places = places
  }

  /** The user's turns: a function that runs another when a place is free, until what that returns has settled. */
  of(user: string): LimitFunction {
    const known = this.#users.get(user)
    if (known !== undefined) return known
    const turns = pLimit(this.#places)
    this.#users.set(user, turns)
    return turns
  }
}
