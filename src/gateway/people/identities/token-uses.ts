import type { Logger } from '../../../basics/logger.ts'
import type { History } from '../../history/history.ts'
import type { AccessToken } from '../../identity.ts'
import { HistoryError } from '../../store/errors.ts'

/** Precision of a last use, and time between two writes. */
const MINUTE_MS = 60_000

/** A sign-in never waits for the disk: uses that cannot be written are written later. */
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
    // `Math.abs`: the clock may have been set back.
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

  /** Logs a failing disk once. */
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
 * Longest time until the requests of a token end after its expiry, revocation or removal from gateway.yaml.
 */
const CHECK_MS = 250

/** Why a token is no longer accepted, in a few words; undefined while it is accepted. */
interface AcceptedTokens {
  refusal(token: AccessToken): string | undefined
}

interface LiveUse {
  readonly token: AccessToken
  readonly end: (reason: string) => void
}

/**
 * Running requests and streams, which end when their token is no longer accepted. One timer checks all
 * tokens, so that no change is missed.
 */
export class LiveUses {
  readonly #users: AcceptedTokens
  readonly #uses = new Set<LiveUse>()
  #timer: NodeJS.Timeout | undefined

  constructor(users: AcceptedTokens) {
    this.#users = users
  }

  /** @param end called at most once @returns an object that the caller disposes after the request */
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
