import type { SessionId } from '../../wire/messages/message.ts'

/** Closes remembered at once. A gateway confirms within a round trip; one that never does must not cost memory. */
const MAX_WAITING = 10_000

/**
 * The closes sent on one stream. The gateway answers each with a close for the same session (protocol.md 0.6). Only
 * then do we know that somebody learned how the session ended.
 */
export class Confirmations {
  readonly #waiting = new Set<SessionId>()

  /** @returns a session that will never be confirmed, when too many wait */
  sent(sid: SessionId): SessionId | undefined {
    this.#waiting.add(sid)
    const [oldest] = this.#waiting
    if (this.#waiting.size <= MAX_WAITING || oldest === undefined) return undefined
    this.#waiting.delete(oldest)
    return oldest
  }

  /** Whether we have closed the session. Packets that still come for it were already on their way. */
  has(sid: SessionId): boolean {
    return this.#waiting.has(sid)
  }

  /** The gateway has closed the session. @returns whether that confirms a close of ours */
  confirm(sid: SessionId): boolean {
    return this.#waiting.delete(sid)
  }

  /** The stream is over. @returns the sessions whose end the gateway may not know */
  lost(): SessionId[] {
    const unconfirmed = [...this.#waiting]
    this.#waiting.clear()
    return unconfirmed
  }
}
