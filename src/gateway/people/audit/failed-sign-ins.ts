const WINDOW_MS = 10 * 60 * 1000
/** Addresses that are counted apart; whoever has more of them is counted under `MANY`. */
const MOST_ADDRESSES = 1000
const MANY = 'others'

interface Counted {
  attempts: number
  readonly since: number
}

/** Guesses of tokens: an entry for each would let an attacker fill the log. */
export class FailedSignIns {
  readonly #counted = new Map<string, Counted>()

  /** @returns whether it is the first from there */
  add(address: string): boolean {
    const isKnown = this.#counted.has(address)
    const name = isKnown || this.#counted.size < MOST_ADDRESSES ? address : MANY
    const counted = this.#counted.get(name)
    if (counted !== undefined) {
      counted.attempts += 1
      return false
    }
    this.#counted.set(name, { attempts: 0, since: performance.now() })
    return true
  }

  /** Takes out those whose time is over, with the attempts that were only counted. */
  *over(isAll: boolean): Generator<{ readonly address: string; readonly attempts: number }> {
    const now = performance.now()
    for (const [address, { attempts, since }] of this.#counted) {
      if (!isAll && now - since < WINDOW_MS) continue
      this.#counted.delete(address)
      if (attempts > 0) yield { address, attempts }
    }
  }
}
