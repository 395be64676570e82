import { hoopWords } from '../../wire/gateway-words.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { History } from '../history/history.ts'
import { refused } from '../refusals/request-refused.ts'
import type { GatewaySession } from '../sessions/session.ts'
import { requestBytes, type SessionRequest } from '../sessions/session-request.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Users } from '../people/identities/users.ts'
import { isApproved, type Counts } from './decision.ts'
import type { ListedReview } from './review.ts'

/** If the clock steps back by more than this time, an approval no longer counts. */
const CLOCK_MS = 60_000

interface TerminalServices {
  readonly history: History
  readonly sessions: Sessions
  readonly users: Users
}

/**
 * Limits how long each terminal may be used. Also limits how long the same approval opens further terminals.
 */
export class TerminalAccess {
  readonly #history: History
  readonly #sessions: Sessions
  readonly #users: Users
  /** Running sessions by review. */
  readonly #running = new Map<string, Set<SessionId>>()

  constructor({ history, sessions, users }: TerminalServices) {
    this.#history = history
    this.#sessions = sessions
    this.#users = users
  }

  /**
   * Opens the terminal if an approval allows it now. Returns undefined without an approval.
   * @throws the errors of `Sessions.open`
   */
  open(request: SessionRequest): Promise<GatewaySession | undefined> {
    return this.#history.patiently(() => {
      // Looked up at each attempt: the approval may have been revoked while another program had a lock.
      const review = this.#approvalOf(request)
      return review && this.#limited(this.#sessions.open(request), review)
    }, requestBytes(request))
  }

  #approvalOf({ user, connection }: SessionRequest): ListedReview | undefined {
    const known = this.#history.read(({ reviews }) => reviews.accessOf(user, connection.name))
    return known.find((review) => this.#isOpenBy(review))
  }

  /**
   * Opens the session that has waited for approval. The client may open it some time after the approval.
   * @throws RequestRefused when the approval was revoked, or the session was killed or has ended meanwhile
   */
  openWaiting(request: SessionRequest, { id, sessionId }: ListedReview): GatewaySession {
    const review = this.#history.read(({ reviews }) => reviews.find(id))
    if (review === undefined || !this.#isOpenBy(review) || !this.#history.isOpen(sessionId))
      throw refused('review-wrong-state/not-approved')
    return this.#limited(this.#sessions.prepare(sessionId as SessionId, request)(), review)
  }

  /** Tells whether the approval still counts, and whether its owner is still the same user. */
  #isOpenBy(review: ListedReview): boolean {
    const { owner, ownerIdentity } = review
    const isOwners = ownerIdentity !== undefined && this.#users.isStill(owner, ownerIdentity)
    return isOwners && leftMs(review, Date.now()) > 0 && isApproved(review, countsOf(this.#users))
  }

  /** @param by user who revokes the approval */
  revoke({ id }: ListedReview, text: string, by: string | undefined): void {
    for (const sid of this.#running.get(id) ?? []) this.#sessions.end(sid, 'access-ended', text, by)
  }

  #limited(session: GatewaySession, review: ListedReview): GatewaySession {
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

/** An approval counts while its approver exists and is active. */
export function countsOf(users: Users): Counts {
  return ({ reviewedBy, reviewedAs }) => reviewedBy !== undefined && users.isStill(reviewedBy, reviewedAs)
}

/** Returns how long the access still lasts. This is at most the approved time, even if the clock is wrong. */
function leftMs({ accessMs, revokeAt = 0 }: ListedReview, now: number): number {
  const approvedAt = revokeAt - accessMs
  return now < approvedAt - CLOCK_MS ? 0 : Math.min(revokeAt - now, accessMs)
}
