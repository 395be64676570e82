const WINDOW_MS = 10 * 60 * 1000
/** Names that are counted apart; whoever has more of them is counted under `MANY`. */
const MOST_NAMES = 10_000
const MANY = 'others'

interface Share {
  entries: number
  leftOut: number
  readonly since: number
}

/** What was only counted of one name. */
export interface LeftOut {
  readonly name: string
  readonly entries: number
}

/** So many entries each user, or address, has in ten minutes. What is beyond is counted: nobody can fill the log. */
export class Shares {
  readonly #most: number
  readonly #shares = new Map<string, Share>()

  constructor(most: number) {
    this.#most = most
  }

  /** @returns whether there is room; then it is taken */
  take(name: string): boolean {
    const share = this.#shareOf(name)
    if (share.entries >= this.#most) return false
    share.entries += 1
    return true
  }

  /** Counts one for which there was no room. */
  leaveOut(name: string): void {
    this.#shareOf(name).leftOut += 1
  }

  /** Takes out those whose time is over, with what was left out of them. */
  *over(isAll: boolean): Generator<LeftOut> {
    const now = performance.now()
    for (const [name, { leftOut, since }] of this.#shares) {
      if (!isAll && now - since < WINDOW_MS) continue
      this.#shares.delete(name)
      if (leftOut > 0) yield { name, entries: leftOut }
    }
  }

  #shareOf(asked: string): Share {
    const name = this.#shares.has(asked) || this.#shares.size < MOST_NAMES ? asked : MANY
    const share = this.#shares.get(name) ?? { entries: 0, leftOut: 0, since: performance.now() }
    this.#shares.set(name, share)
    return share
  }
}
