import type { AccessToken } from '../../identity.ts'
import type { Users } from './users.ts'

/** A token may have expired, been revoked, or left gateway.yaml: whatever it is, it is noticed after this. */
const CHECK_MS = 250

interface LiveUse {
  readonly token: AccessToken
  readonly end: (reason: string) => void
}

/**
 * Requests and streams that are being served, each by a token: they end when it is no longer accepted. The check needs
 * no timer of each token, and no word from whoever changes one, so nothing that ends a token can be forgotten.
 */
export class LiveUses {
  readonly #users: Pick<Users, 'refusal'>
  readonly #uses = new Set<LiveUse>()
  #timer: NodeJS.Timeout | undefined

  constructor(users: Pick<Users, 'refusal'>) {
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
