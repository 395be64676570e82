import type { Logger } from '../../../basics/logger.ts'
import type { History } from '../../history/history.ts'
import type { AccessToken } from '../../identity.ts'
import { HistoryError } from '../../store/errors.ts'

/** The precision of a last use, and the time between two writes. */
const MINUTE_MS = 60_000

/** When each token was used last. A sign-in never waits for the disk; what cannot be written is written later. */
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

  /** @param id of the token */
  note(id: string): void {
    const now = Date.now()
    const last = this.#usedAt.get(id)
    // `abs`: the clock may have been set back.
    if (last !== undefined && Math.abs(now - last) < MINUTE_MS) return
    this.#usedAt.set(id, now)
    this.#unwritten.set(id, now)
  }

  /** In ms since 1970. */
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

  /** Tells once of a disk that fails. */
  #trying(work: () => void): boolean {
    try {
      work()
      this.#isTold = false
      return true
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      if (!this.#isTold) this.#log.warn({ error: error.message }, 'the last use of tokens is not written yet')
      this.#isTold = true
      return false
    }
  }
}

/** Time until the gateway notices that a token has expired, was revoked, or has left gateway.yaml. */
const CHECK_MS = 250

/** Knows why a token is no longer accepted, in a few words; undefined while it is. */
interface AcceptedTokens {
  refusal(token: AccessToken): string | undefined
}

interface LiveUse {
  readonly token: AccessToken
  readonly end: (reason: string) => void
}

/**
 * Requests and streams that are being served. Each ends when its token is no longer accepted. One timer checks all tokens,
 * so that no change of a token can be forgotten.
 */
export class LiveUses {
  readonly #users: AcceptedTokens
  readonly #uses = new Set<LiveUse>()
  #timer: NodeJS.Timeout | undefined

  constructor(users: AcceptedTokens) {
    this.#users = users
  }

  /** @param end called at most once, with the reason @returns what the caller disposes when it is served */
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
