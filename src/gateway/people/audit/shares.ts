import type { AuditFacts } from './entry.ts'

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

/** Above it the oldest is forgotten: then it is noted once more. */
const MOST_REPEATS = 10_000

/** Commands and pages look at the same thing every second. */
export class Repeats {
  /** When each was noted, the oldest first. */
  readonly #noted = new Map<string, number>()

  isNew(facts: AuditFacts): boolean {
    const { actor, action, http_method, http_path, http_status, client_ip, error_message } = facts
    const key = JSON.stringify([actor, action, http_method, http_path, http_status, client_ip, error_message])
    const now = performance.now()
    const before = this.#noted.get(key)
    if (before !== undefined && now - before < WINDOW_MS) return false
    this.#noted.delete(key)
    this.#noted.set(key, now)
    const [oldest] = this.#noted.keys()
    if (this.#noted.size > MOST_REPEATS && oldest !== undefined) this.#noted.delete(oldest)
    return true
  }
}
