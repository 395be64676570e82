import type { Logger } from '../../../basics/logger.ts'
import type { History } from '../../history/history.ts'
import type { AccessToken } from '../../identity.ts'
import { HistoryError } from '../../store/errors.ts'

/** Precision of the time of a last use, and minimum time between two writes. */
const MINUTE_MS = 60_000

/**
 * Remembers when each token was last used. A sign-in never waits for the disk, so a use that cannot be
 * written now is written later.
 */
export class LastUses {
  readonly #history: History
  readonly #log: Logger
  readonly #usedAt = new Map<string, number>()
  readonly #unwritten = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  #isTold = false

  constructor(history: History, log: Logger) {
    this.#history = history
    this.#log = log
    this.#timer = setInterval(() => this.#write(), MINUTE_MS).unref()
    this.#trying(() => {
      for (const [id, usedAt] of history.read(({ tokens }) => tokens.uses())) this.#usedAt.set(id, usedAt)
    })
  }

  note(id: string): void {
    const now = Date.now()
    const last = this.#usedAt.get(id)
    // The clock may have been set back, so the difference may be negative.
    if (last !== undefined && Math.abs(now - last) < MINUTE_MS) return
    this.#usedAt.set(id, now)
    this.#unwritten.set(id, now)
  }

  /** Time in ms since 1970. */
  of(id: string): number | undefined {
    return this.#usedAt.get(id)
  }

  forget(id: string): void {
    this.#usedAt.delete(id)
    this.#unwritten.delete(id)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#write()
  }

  #write(): void {
    if (this.#unwritten.size === 0) return
    const isWritten = this.#trying(() =>
      this.#history.write(({ tokens }) => {
        for (const [id, usedAt] of this.#unwritten) tokens.noteUse(id, usedAt)
      }, 'lightly'),
    )
    if (isWritten) this.#unwritten.clear()
  }

  /** Runs `work`. If the disk fails, logs this only once. */
  #trying(work: () => void): boolean {
    try {
      work()
      this.#isTold = false
      return true
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      if (!this.#isTold)
        this.#log.warn({ error: error.message }, 'cannot write the last use of tokens; will retry')
      this.#isTold = true
      return false
    }
  }
}

/**
 * Period of the check of running requests. A request ends at most this time after its token has expired, was
 * revoked or was removed from gateway.yaml.
 */
const CHECK_MS = 250

/** Says in a few words why a token is no longer accepted; undefined while the token is accepted. */
interface AcceptedTokens {
  refusal(token: AccessToken): string | undefined
}

interface LiveUse {
  readonly token: AccessToken
  readonly end: (reason: string) => void
}

/**
 * The running requests and streams. They end when their token is no longer accepted. One timer checks all
 * tokens, so that no change is missed.
 */
export class LiveUses {
  readonly #users: AcceptedTokens
  readonly #uses = new Set<LiveUse>()
  #timer: NodeJS.Timeout | undefined

  constructor(users: AcceptedTokens) {
    this.#users = users
  }

  /**
   * @param end called at most once
   * @returns an object that the caller has to dispose after the request
   */
  begin(token: AccessToken, end: (reason: string) => void): Disposable {
    const use = { token, end }
    this.#uses.add(use)
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS).unref()
    return { [Symbol.dispose]: () => this.#forget(use) }
  }

  #check(): void {
    for (const use of this.#uses) {
      const reason = this.#users.refusal(use.token)
      if (reason === undefined) continue
      this.#forget(use)
      use.end(reason)
    }
  }

  #forget(use: LiveUse): void {
    this.#uses.delete(use)
    if (this.#uses.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
