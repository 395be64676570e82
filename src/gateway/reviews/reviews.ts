import { randomUUID } from 'node:crypto'
import { onAbort } from '../../basics/abort.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { EndCause } from '../history/session.ts'
import { RequestRefused } from '../refusals/request-refused.ts'
import { HistoryError } from '../store/errors.ts'
import type { Tables } from '../store/room.ts'
import { requestBytes, type SessionRequest } from '../sessions/session-request.ts'
import { type WaitingSession } from '../sessions/sessions.ts'
import type { GatewayUser } from '../identity.ts'
import { digestOf, sealPurpose, type ApprovedRuns, type RunServices } from './approved-runs.ts'
import {
  decide,
  possibleDecisions,
  withdrawn,
  type Decision,
  type PossibleDecisions,
  type Reviewer,
} from './decision.ts'
import { deniedText } from './denied-text.ts'
import { newReview, type HeldRun, type Review, type ReviewedBatch, type ShownRequest } from './review.ts'
import { common, type ReviewRule } from './rules.ts'
import { encodeStoredRequest, type StoredForBatch } from './stored-request.ts'
import type { TerminalAccess } from './terminal-access.ts'

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
  ask(request: SessionRequest, rule: ReviewRule, more: AskedMore = {}): Promise<Review> {
    const { history } = this.#services
    return history.patiently(() => this.#ask(request, rule, more), requestBytes(request))
  }

  #ask(request: SessionRequest, rule: ReviewRule, { accessMs = 0, batch }: AskedMore): Review {
    this.#checkRoom(request)
    const { sessions, history, vault, users, log } = this.#services
    const waiting = sessions.begin(request)
    const { sid } = waiting
    try {
      const shown = this.#shown(request, waiting)
      const review = newReview({ request, rule, accessMs, sid, shown, batch: batch?.shown })
      const isStored = review.type === 'onetime'
      const asker = users.identity(request.user)
      const stored = encodeStoredRequest(request, { ...batch?.stored, asker, token: request.askedWith })
      const sealed = isStored ? vault.seal(stored, sealPurpose(review)) : null
      history.write((tables) => {
        tables.reviews.insert(review, sealed)
        batch?.insert(tables, review)
      })
      log.info({ sid, review: review.id, user: review.owner }, 'session waits for approval')
      return review
    } catch (error) {
      this.#endSession(sid, 'the request could not be stored for its reviewers', { code: 'history-failed' })
      throw error
    }
  }

  /** @param id id of the review or of its session */
  visible(user: GatewayUser, id: string): Review | undefined {
    const review = this.#services.history.read(({ reviews }) => reviews.find(id))
    return review !== undefined && this.isConcerned(user, review) ? review : undefined
  }

  /** Lists the newest reviews first. */
  list(user: GatewayUser): Review[] {
    const viewer = this.#services.users.seesAll(user) ? undefined : user
    return this.#services.history.read(({ reviews }) => reviews.list(viewer))
  }

  /** Returns the last earlier run of the same runbook, among the reviews that the user may see. */
  previous(user: GatewayUser, review: Review): Review | undefined {
    const before = this.#services.history.read(({ reviews }) => reviews.sameRunbook(review.id))
    return before.find((one) => this.isConcerned(user, one))
  }

  isConcerned(user: GatewayUser, { owner, groups, forceGroups }: Review): boolean {
    const reviewers = [...groups.map(({ group }) => group), ...forceGroups]
    const isMember = common(user.groups, reviewers).length > 0
    return user.name === owner || isMember || this.#services.users.seesAll(user)
  }

  /** Returns what the user may decide. Decisions that would be refused are false. */
  possible(user: GatewayUser, review: Review): PossibleDecisions & { readonly withdraw: boolean } {
    const { users, history } = this.#services
    if (users.onlyReads(user))
      return { approve: false, force: false, reject: false, revoke: false, withdraw: false }
    const all = possibleDecisions(review, this.#reviewer(user))
    const approves = user.kind !== 'machine' && review.expiresAt >= history.clock.latest
    return {
      ...all,
      approve: all.approve && approves,
      force: all.force && approves,
      withdraw: user.name === review.owner && waits(review),
    }
  }

  #reviewer(user: GatewayUser): Reviewer {
    return { name: user.name, groups: user.groups, isAdmin: this.#services.users.isAdmin(user) }
  }

  /** @param id of review or session @throws RequestRefused, HistoryError; then nothing has changed */
  decide(id: string, user: GatewayUser, decision: Decision): Review {
    const review = this.#services.history.read(({ reviews }) => reviews.find(id))
    if (review === undefined) throw new RequestRefused('review-not-found', hoopWords.reviewNotFound)
    if (user.kind === 'machine' && decision.verdict === 'APPROVED')
      throw new RequestRefused('not-permitted', `${user.name} is a machine, and only people may approve`)
    // An expired review can still be found until `tick` ends it some seconds later.
    if (decision.verdict === 'APPROVED' && review.expiresAt < this.#services.history.clock.latest)
      throw new RequestRefused('review-wrong-state', 'nobody has decided in time: the request has expired')
    const outcome = decide(review, decision, this.#reviewer(user), { now: Date.now(), newId: randomUUID })
    if ('refusal' in outcome) throw new RequestRefused(outcome.refusal.code, outcome.refusal.message)
    const by = user.name
    const code = outcome.review.status === 'REVOKED' ? 'revoked' : 'rejected'
    this.#change(review, outcome.review, { code, by })
    const { sessionId: sid, status } = outcome.review
    this.#services.log.info({ sid, review: review.id, by, verdict: decision.verdict, status }, 'reviewed')
    return outcome.review
  }

  /**
   * Ends a session that waits for approval or for its run.
   * @param by user who withdraws the request
   * @returns false when the session does not wait
   * @throws HistoryError
   */
  cancel(sessionId: string, reason: string, by: string): boolean {
    const review = this.#services.history.read(({ reviews }) => reviews.find(sessionId))
    if (review === undefined) return false
    // If the terminal is approved but not opened yet, its session ends. The approval can still open other
    // terminals.
    const cause = { code: 'withdrawn', by }
    if (review.type === 'jit' && review.status === 'APPROVED') this.#endSession(sessionId, reason, cause)
    if (!waits(review)) return false
    this.#change(review, { ...withdrawn(review, reason), withdrawnBy: by }, cause, reason)
    return true
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
  hold(review: Review, held: HeldRun): void {
    this.#services.history.write(({ reviews }) => reviews.update({ ...review, held }, 'APPROVED'))
  }

  /**
   * Ends an approved request that its owner may no longer run.
   * @throws RequestRefused when the review has changed meanwhile, HistoryError
   */
  refuse(review: Review, reason: string): void {
    this.#change(review, withdrawn(review, reason), { code: 'not-permitted' }, reason)
  }

  /** Ends expired reviews. Marks reviews as executed that are still PROCESSING after their run. */
  tick(): void {
    const { history, runs, log } = this.#services
    try {
      runs.repair()
      for (const review of history.read(({ reviews }) => reviews.due(history.clock.trusted)))
        this.#change(review, withdrawn(review, overdue(review)), { code: 'expired' })
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
      throw new RequestRefused(
        'too-much-at-once',
        `${reviews} of your requests wait for an approval or for their run; wait until some of them end`,
      )
    const length = clientArgs.reduce((sum, argument) => sum + Buffer.byteLength(argument), 0)
    if (length > MAX_ARGUMENT_BYTES)
      throw new RequestRefused('too-large', 'client_args that need an approval may have at most 64 KiB', 422)
  }

  #shown({ script, clientArgs, envVars }: SessionRequest, waiting: WaitingSession): ShownRequest {
    const kind = waiting.hasSecrets ? 'hmac-sha256' : 'sha256'
    return {
      scriptDigest: { kind, hex: digestOf(this.#services.vault, script, kind) },
      clientArgs: clientArgs.map((argument) => waiting.shown(Buffer.from(argument)).toString()),
      envVars: [...envVars.keys()].sort(),
    }
  }

  /**
   * @param cause cause of the session's end, if the session ends
   * @throws RequestRefused when the review has changed meanwhile, HistoryError
   */
  #change(before: Review, after: Review, cause: EndCause, text = deniedText(after)): void {
    const isOver = after.status === 'REJECTED' || after.status === 'REVOKED'
    const isChanged = this.#services.history.write(({ reviews }) => {
      if (!reviews.update(after, before.status)) return false
      if (isOver) reviews.dropRequest(after.id)
      return true
    })
    if (!isChanged) throw new RequestRefused('review-wrong-state', hoopWords.reviewInWrongState)
    if (isOver) {
      this.#services.access.revoke(after, text, cause.by)
      this.#endSession(after.sessionId, text, cause)
    }
    if (after.status !== 'PENDING') this.#waiters.tell(after)
    if (after.status === 'APPROVED' && after.whenApproved === true) this.#runner(after.sessionId)
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

function waits({ type, status }: Review): boolean {
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
