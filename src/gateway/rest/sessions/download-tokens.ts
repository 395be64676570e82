import { createHash, randomBytes } from 'node:crypto'
import { isSameKey } from '../../agents/agents.ts'

const LIFE_MS = 5 * 60 * 1000
/** Tokens of one user, and of all: who asks for more loses the oldest. */
const MOST_OF_ONE_USER = 100
const MOST = 10_000

interface Pending {
  /** The token itself is not kept. */
  readonly sha256: Buffer
  readonly user: string
  readonly expiresAt: number
}

interface Redeemed {
  readonly outcome: 'valid' | 'none' | 'wrong' | 'expired'
  readonly user?: string
}

/** Tokens of downloads: each is for one session, for one request, and for five minutes. A session has one at a time. */
export class DownloadTokens {
  /** By session, the oldest first. */
  readonly #pending = new Map<string, Pending>()

  issue(session: string, user: string): { token: string; expiresAt: Date } {
    const token = randomBytes(32).toString('hex')
    const expiresAt = Date.now() + LIFE_MS
    this.#pending.delete(session)
    this.#makeRoom(user)
    this.#pending.set(session, { sha256: createHash('sha256').update(token).digest(), user, expiresAt })
    return { token, expiresAt: new Date(expiresAt) }
  }

  /** Uses the session's token up, whether this is it or not: nobody can try twice. @returns whose it was, too */
  redeem(session: string, token: string): Redeemed {
    const pending = this.#pending.get(session)
    this.#pending.delete(session)
    if (pending === undefined) return { outcome: 'none' }
    if (!isSameKey(token, pending.sha256)) return { outcome: 'wrong' }
    return { outcome: Date.now() < pending.expiresAt ? 'valid' : 'expired', user: pending.user }
  }

  #makeRoom(user: string): void {
    const own = [...this.#pending].filter(([, pending]) => pending.user === user)
    const [oldestOwn] = own.length < MOST_OF_ONE_USER ? [] : own
    const [oldest] = this.#pending.size < MOST ? [] : this.#pending
    const victim = oldestOwn ?? oldest
    if (victim !== undefined) this.#pending.delete(victim[0])
  }
}
