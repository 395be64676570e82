import { randomUUID } from 'node:crypto'
import { onAbort } from '../../basics/abort.ts'
import type { EndCause, SessionSummary } from '../history/session.ts'
import { refused, RequestRefused } from '../refusals/request-refused.ts'
import { HistoryError } from '../store/errors.ts'
import type { Tables } from '../store/room.ts'
import { requestBytes, type SessionRequest } from '../sessions/session-request.ts'
import { type WaitingSession } from '../sessions/sessions.ts'
import type { GatewayUser } from '../identity.ts'
import { digestOf, sealPurpose, type ApprovedRuns, type RunServices } from './approved-runs.ts'
import {
  decide,
  possibleDecisions,
  standing,
  withdrawn,
  type Counts,
  type Decision,
  type PossibleDecisions,
  type Reviewer,
} from './decision.ts'
import { deniedText } from './denied-text.ts'
import { newReview, type HeldRun, type ListedReview, type Review, type ReviewedBatch } from './review.ts'
import { common, type ReviewRule } from './rules.ts'
import { earlierRuns, shownRequest } from './shown-request.ts'
import { encodeStoredRequest, type StoredForBatch } from './stored-request.ts'
import { countsOf, type TerminalAccess } from './terminal-access.ts'

/** Limits of one user's waiting requests. They are needed because requests may wait for days. */
const MAX_WAITING = 100
const MAX_WAITING_BYTES = 128 * 1024 * 1024
/** Limit of all arguments of a request together, because reviewers must be able to read them. */
const MAX_ARGUMENT_BYTES = 64 * 1024
/** Interval between searches for expired reviews. */
const TICK_MS = 15_000

interface ReviewServices extends RunServices {
  readonly runs: ApprovedRuns
  readonly access: TerminalAccess
}

interface AskedMore {
  readonly accessMs?: number
  readonly batch?: ReviewedRuns
}

/** A batch whose first run is the waiting session. */
interface ReviewedRuns {
  readonly shown: ReviewedBatch
  readonly stored: StoredForBatch
  /** Writes the batch, together with its review. */
  readonly insert: (tables: Tables, review: Review) => void
}

/** Records requests and decisions, and tells waiting clients. */
export class Reviews {
  readonly #services: ReviewServices
  readonly #waiters = new Waiters()
  readonly #timer: NodeJS.Timeout
  /** Sessions whose clients wait for the approval and start the run themselves. */
  readonly #attended = new Set<string>()
  #runner: (sessionId: string) => void = () => undefined

  constructor(services: ReviewServices) {
    this.#services = services
    this.#timer = setInterval(() => this.tick(), TICK_MS).unref()
    this.tick()
  }

  /**
   * Records a waiting session and its review. The request is sealed and stored now.
   * @param more how long a terminal may be used, or the batch that begins with the session
   * @throws RequestRefused, HistoryError; then no review exists
   */
  async ask(request: SessionRequest, rule: ReviewRule, more: AskedMore = {}): Promise<Review> {
    const { history, sessions, users, log } = this.#services
    const asker = users.identity(request.user)
    // Each of the two writes waits by itself: if both were repeated, the first session would stay as a failed one.
    const begin = () => {
      this.#checkRoom(request)
      return sessions.begin(request)
    }
    const waiting = await history.patiently(begin, requestBytes(request))
    try {
      const review = await this.#insert(request, waiting, { ...more, rule, asker })
      log.info({ sid: review.sessionId, review: review.id, user: review.owner }, 'session waits for approval')
      return review
    } catch (error) {
      const text = 'the request could not be stored for its reviewers'
      this.#endSession(waiting.sid, text, { code: 'history-failed' })
      throw error
    }
  }

  async #insert(
    request: SessionRequest,
    waiting: WaitingSession,
    { rule, asker, accessMs = 0, batch }: AskedMore & Pick<Parameters<typeof newReview>[0], 'rule' | 'asker'>,
  ): Promise<Review> {
    const { history, vault } = this.#services
    const shown = this.#shown(request, waiting, batch?.shown.waves.flat())
    const review = newReview({ request, rule, asker, accessMs, sid: waiting.sid, shown, batch: batch?.shown })
    const stored = encodeStoredRequest(request, { ...batch?.stored, asker, token: request.askedWith })
    const sealed = review.type === 'onetime' ? vault.seal(stored, sealPurpose(review)) : null
    const write = () =>
      history.write((tables) => {
        tables.reviews.insert(review, sealed)
        batch?.insert(tables, review)
      })
    await history.patiently(write, requestBytes(request))
    return review
  }

  /** @param id id of the review or of its session */
  visible(user: GatewayUser, id: string): Review | undefined {
    const review = this.#services.history.read(({ reviews }) => reviews.find(id))
    return review !== undefined && this.isConcerned(user, review) ? standing(review, this.#counts) : undefined
  }

  /** Lists the newest reviews first. */
  list(user: GatewayUser): ListedReview[] {
    const viewer = this.#services.users.seesAll(user) ? undefined : user
    const found = this.#services.history.read(({ reviews }) => reviews.list(viewer))
    return found.map((review) => standing(review, this.#counts))
  }

  isConcerned(user: GatewayUser, { owner, groups, forceGroups }: ListedReview): boolean {
    const reviewers = [...groups.map(({ group }) => group), ...forceGroups]
    const isMember = common(user.groups, reviewers).length > 0
    return user.name === owner || isMember || this.#services.users.seesAll(user)
  }

  /** Reviewers see a session and its script. Its output is only for those whom `Users.reads` names. */
  showsSession(user: GatewayUser, session: SessionSummary): boolean {
    const { review } = session
    return (
      this.#services.users.reads(user, session) || (review !== undefined && this.isConcerned(user, review))
    )
  }

  /**
   * Returns what the user may decide. Decisions that would be refused are false.
   * @param review a review of `visible`, `list` or `decide`
   */
  possible(user: GatewayUser, review: ListedReview): PossibleDecisions & { readonly withdraw: boolean } {
    const { users, history } = this.#services
    return {
      ...possibleDecisions(review, this.reviewer(user), history.clock.latest),
      withdraw: !users.onlyReads(user) && user.name === review.owner && waits(review),
    }
  }

  reviewer(user: GatewayUser): Reviewer {
    const { users } = this.#services
    const { name, kind, groups } = user
    const [isAdmin, onlyReads] = [users.isAdmin(user), users.onlyReads(user)]
    return { name, identity: users.identity(name), kind, groups, isAdmin, onlyReads }
  }

  get #counts(): Counts {
    return countsOf(this.#services.users)
  }

  /** @param id of review or session @throws RequestRefused, HistoryError; then nothing has changed */
  decide(id: string, user: GatewayUser, decision: Decision): Review {
    const { history, log } = this.#services
    const by = user.name
    const after = this.#change(id, (review) => {
      if (review === undefined) return refused('review-not-found/review')
      const moment = { now: Date.now(), latest: history.clock.latest, newId: randomUUID }
      const outcome = decide(standing(review, this.#counts), decision, this.reviewer(user), moment)
      if ('refusal' in outcome) return outcome.refusal
      const code = outcome.review.status === 'REVOKED' ? 'revoked' : 'rejected'
      return { review: outcome.review, cause: { code, by } }
    })
    if (after === undefined) throw new Error('unreachable: the decision has changed the review')
    const { sessionId: sid, status } = after
    log.info({ sid, review: after.id, by, verdict: decision.verdict, status }, 'reviewed')
    return after
  }

  /**
   * Ends a session that waits for approval or for its run.
   * @param by user who withdraws the request
   * @returns false when the session does not wait
   * @throws HistoryError
   */
  cancel(sessionId: string, reason: string, by: string): boolean {
    const cause = { code: 'withdrawn', by }
    const after = this.#change(sessionId, (review) => {
      if (review === undefined || !waits(review)) return undefined
      return { review: { ...withdrawn(review, reason), withdrawnBy: by }, cause, text: reason }
    })
    if (after !== undefined) return true
    // If the terminal is approved but not opened yet, its session ends. The approval can still open other
    // terminals.
    const review = this.#services.history.read(({ reviews }) => reviews.find(sessionId))
    if (review?.type === 'jit' && review.status === 'APPROVED') this.#endSession(sessionId, reason, cause)
    return false
  }

  /** Ends the session of a terminal whose client has left. Its approval can still open the terminal later. */
  left(sessionId: string): void {
    this.#endSession(sessionId, 'the client has left', { code: 'client-left' })
  }

  /** Returns the review when it is decided or has ended; undefined when the signal aborts first. */
  async decided(sessionId: string, signal: AbortSignal): Promise<Review | undefined> {
    const told = this.#waiters.wait(sessionId, signal)
    const review = this.#services.history.read(({ reviews }) => reviews.find(sessionId))
    return review === undefined || review.status === 'PENDING' ? told : review
  }

  /** @param runner called with a session that the gateway itself may have to run now */
  runBy(runner: (sessionId: string) => void): void {
    this.#runner = runner
  }

  /**
   * Records that a client will start the session after the approval. If the client leaves earlier, the
   * gateway starts the session.
   */
  attend(sessionId: string): Disposable {
    this.#attended.add(sessionId)
    return {
      [Symbol.dispose]: () => {
        this.#attended.delete(sessionId)
        this.#runner(sessionId)
      },
    }
  }

  isAttended(sessionId: string): boolean {
    return this.#attended.has(sessionId)
  }

  /** @throws HistoryError */
  hold({ id }: Review, held: HeldRun): void {
    this.#services.history.write(({ reviews }) => {
      const review = reviews.find(id)
      if (review !== undefined) reviews.update({ ...review, held }, 'APPROVED')
    })
  }

  /**
   * Ends an approved request that its owner may no longer run. A request that has run or has ended meanwhile
   * stays as it is.
   * @throws RequestRefused, HistoryError
   */
  refuse({ id }: Review, reason: string): void {
    this.#change(id, (review) =>
      review?.status === 'APPROVED'
        ? { review: withdrawn(review, reason), cause: { code: 'not-permitted' }, text: reason }
        : undefined,
    )
  }

  /** Ends expired reviews. Marks reviews as executed that are still PROCESSING after their run. */
  tick(): void {
    const { history, runs, log } = this.#services
    try {
      runs.repair()
      const now = history.clock.trusted
      for (const { id } of history.read(({ reviews }) => reviews.due(now)))
        this.#change(id, (review) =>
          review !== undefined && waits(review)
            ? { review: withdrawn(review, overdue(review)), cause: { code: 'expired' } }
            : undefined,
        )
    } catch (error) {
      if (!(error instanceof HistoryError) && !(error instanceof RequestRefused)) throw error
      log.warn({ error: error.message }, 'cleanup of reviews failed; will retry')
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #checkRoom({ user, clientArgs }: SessionRequest): void {
    const { reviews, bytes } = this.#services.history.read(({ reviews }) => reviews.waitingOf(user))
    if (reviews >= MAX_WAITING || bytes >= MAX_WAITING_BYTES)
      throw refused('too-much-at-once/reviews', { count: reviews })
    const length = clientArgs.reduce((sum, argument) => sum + Buffer.byteLength(argument), 0)
    if (length > MAX_ARGUMENT_BYTES) throw refused('too-large/arguments')
  }

  #shown(request: SessionRequest, waiting: WaitingSession, connections = [request.connection.name]) {
    const { history, vault } = this.#services
    const kind = waiting.hasSecrets ? 'hmac-sha256' : 'sha256'
    const digest = { kind, hex: digestOf(vault, request.script, kind) } as const
    const earlier = history.read(({ reviews }) => earlierRuns(reviews.facts, request))
    return shownRequest({ request, waiting, connections, earlier, digest })
  }

  /**
   * Reads, checks and writes the review in one transaction, so that only one of two changes takes effect.
   * @param make returns the change of the present review; undefined if nothing changes
   * @throws RequestRefused, HistoryError; then nothing has changed
   */
  #change(
    id: string,
    make: (review: Review | undefined) => Change | RequestRefused | undefined,
  ): Review | undefined {
    const change = this.#services.history.write(({ reviews }) => {
      const before = reviews.find(id)
      const change = make(before)
      if (before === undefined || change === undefined || change instanceof RequestRefused) return change
      const { review } = change
      if (!reviews.update(review, before.status)) return refused('review-wrong-state/decided')
      if (isOver(review)) reviews.dropRequest(review.id)
      return change
    })
    // An error inside the transaction would count as a failure of the history.
    if (change instanceof RequestRefused) throw change
    if (change !== undefined) this.#tell(change)
    return change?.review
  }

  /** Tells sessions and clients what has been written. */
  #tell({ review, cause, text = deniedText(review) }: Change): void {
    if (isOver(review)) {
      this.#services.access.revoke(review, text, cause.by)
      this.#endSession(review.sessionId, text, cause)
    }
    if (review.status !== 'PENDING') this.#waiters.tell(review)
    if (review.status === 'APPROVED' && review.whenApproved === true) this.#runner(review.sessionId)
  }

  /** Ends the waiting session. If the end cannot be written now, it is written later. */
  #endSession(sid: string, text: string, cause: EndCause): void {
    try {
      this.#services.sessions.endWaiting(sid, text, cause)
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      this.#services.log.error({ sid, error: error.message }, 'session not recorded')
    }
  }
}

interface Change {
  readonly review: Review
  /** Cause of the session's end, if the session ends. */
  readonly cause: EndCause
  readonly text?: string
}

function isOver({ status }: Review): boolean {
  return status === 'REJECTED' || status === 'REVOKED'
}

function waits({ type, status }: ListedReview): boolean {
  return status === 'PENDING' || (status === 'APPROVED' && type === 'onetime')
}

function overdue({ status }: Review): string {
  return status === 'PENDING' ? 'nobody has decided in time' : 'the request was approved, but not run in time'
}

type Waiter = (review?: Review) => void

export class Waiters {
  readonly #waiters = new Map<string, Set<Waiter>>()

  /** Returns undefined when the signal aborts first. */
  async wait(sessionId: string, signal: AbortSignal): Promise<Review | undefined> {
    let wake: Waiter = () => undefined
    const told = new Promise<Review | undefined>((resolve) => (wake = resolve))
    const waiters = this.#waiters.get(sessionId) ?? new Set()
    this.#waiters.set(sessionId, waiters.add(wake))
    using _ = onAbort(signal, wake)
    try {
      return await told
    } finally {
      this.#remove(sessionId, wake)
    }
  }

  tell(review: Review): void {
    const waiters = this.#waiters.get(review.sessionId) ?? []
    this.#waiters.delete(review.sessionId)
    for (const wake of waiters) wake(review)
  }

  #remove(sessionId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(sessionId)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(sessionId)
  }
}
