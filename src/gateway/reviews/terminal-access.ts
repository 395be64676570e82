import { hoopWords } from '../../wire/gateway-words.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { History } from '../history/history.ts'
import { RequestRefused } from '../refusals/request-refused.ts'
import type { GatewaySession } from '../sessions/session.ts'
import type { SessionRequest } from '../sessions/session-request.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Review } from './review.ts'

/** A clock may have been set back by this much since the approval. More, and the approval is not believed. */
const CLOCK_MS = 60_000

/** Terminals that people have approved: for how long, and until when others may be opened by the same approval. */
export class TerminalAccess {
  readonly #history: History
  readonly #sessions: Sessions
  /** Sessions that run by each review. */
  readonly #running = new Map<string, Set<SessionId>>()

  constructor(history: History, sessions: Sessions) {
    this.#history = history
    this.#sessions = sessions
  }

  /** An approval by which the user may open this terminal now. */
  of({ user, connection }: SessionRequest): Review | undefined {
    const known = this.#history.read(({ reviews }) => reviews.accessOf(user, connection.name))
    return known.find((review) => leftMs(review, Date.now()) > 0)
  }

  /** Opens one more session by this approval. @throws as `Sessions.open` */
  open(request: SessionRequest, review: Review): GatewaySession {
    return this.#limited(this.#sessions.open(request), review)
  }

  /**
   * Goes on with the session that has waited for it. @throws RequestRefused when it was revoked, killed or
   * is over since: a client takes its time to open what was approved
   */
  openWaiting(request: SessionRequest, { id, sessionId }: Review): GatewaySession {
    const review = this.#history.read(({ reviews }) => reviews.find(id))
    const isApproved = review?.status === 'APPROVED' && leftMs(review, Date.now()) > 0
    if (!isApproved || !this.#history.isOpen(sessionId))
      throw new RequestRefused('review-wrong-state', hoopWords.notApproved, 403)
    return this.#limited(this.#sessions.prepare(sessionId as SessionId, request)(), review)
  }

  /** Ends the sessions of this approval. @param by the user who revokes it */
  revoke({ id }: Review, text: string, by: string | undefined): void {
    for (const sid of this.#running.get(id) ?? []) this.#sessions.end(sid, 'access-ended', text, by)
  }

  #limited(session: GatewaySession, review: Review): GatewaySession {
    const { sid } = session
    const cut = () => this.#sessions.end(sid, 'access-ended', hoopWords.accessOver)
    const timer = setTimeout(cut, Math.max(0, leftMs(review, Date.now())))
    const running = this.#running.get(review.id) ?? new Set()
    this.#running.set(review.id, running.add(sid))
    const forget = (): void => {
      clearTimeout(timer)
      running.delete(sid)
      if (running.size === 0) this.#running.delete(review.id)
    }
    void session.ended.then(forget, forget)
    return session
  }
}

/** At most the time that was approved, whatever the clock says. */
function leftMs({ accessMs, revokeAt = 0 }: Review, now: number): number {
  const approvedAt = revokeAt - accessMs
  return now < approvedAt - CLOCK_MS ? 0 : Math.min(revokeAt - now, accessMs)
}
