import type { Logger } from '../../basics/logger.ts'
import type { HttpCode } from '../../contract/statuses.ts'
import type { History } from '../history/history.ts'
import type { GatewayUser } from '../identity.ts'
import type { AuditLog } from '../people/audit/audit-log.ts'
import type { Users } from '../people/identities/users.ts'
import { refused, RequestRefused } from '../refusals/request-refused.ts'
import { NO_WAIT, type Executions } from '../sessions/executions.ts'
import { HistoryError } from '../store/errors.ts'
import { automaticRun, type ApprovedRuns } from './approved-runs.ts'
import type { ListedReview } from './review.ts'
import type { Reviews } from './reviews.ts'

/** Interval between attempts to begin runs that were held, or that an earlier gateway has left. */
const TICK_MS = 5000
/** Reviews per step. Between two steps, the gateway serves other requests. */
const STEP = 1000

/**
 * These refusals end by themselves, or a person chooses Run. Other refusals end the request, because nobody
 * expects a run weeks later.
 */
const PASSING: ReadonlySet<HttpCode> = new Set<HttpCode>([
  'outside-time-window',
  'too-much-at-once',
  'lock-busy',
  'budget-spent',
  'token-ended',
  'gateway-draining',
  'gateway-stopped',
  'choices-failed',
])

interface AutomaticServices {
  readonly history: History
  readonly reviews: Reviews
  readonly runs: ApprovedRuns
  readonly executions: Executions
  readonly users: Users
  readonly audit: AuditLog
  /** @throws RequestRefused, HistoryError; then the batch continues to wait */
  readonly runBatch: (id: string, owner: GatewayUser) => Promise<void>
  readonly log: Logger
}

/**
 * Runs approved requests as if their owner chose Run now, with the owner's present rights. After a restart,
 * begins runs that an earlier gateway has left. Nothing runs before `begin`: a run would be lost if the
 * gateway's start failed afterwards. Close this object before the sessions.
 */
export class AutomaticRuns {
  readonly #services: AutomaticServices
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #isWalking = false
  #isTold = false
  /** Sessions whose lists of choices are asked at this moment. */
  readonly #asking = new Set<string>()

  constructor(services: AutomaticServices) {
    this.#services = services
  }

  begin(): void {
    if (this.#isClosed) return
    // The run begins later, so that the approver gets an answer first.
    this.#services.reviews.runBy((sid) => void setImmediate(() => this.#look(sid)))
    this.#timer = setInterval(() => this.tick(), TICK_MS).unref()
    this.tick()
  }

  tick(): void {
    if (!this.#isWalking) this.#walk(0)
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
  }

  #walk(after: number): void {
    this.#isWalking = false
    this.#trying(({ history }) => {
      const found = history.read(({ reviews }) => reviews.automatic(after, STEP))
      for (const { review } of found) this.#run(review)
      const last = found.at(-1)
      this.#isWalking = last !== undefined && found.length === STEP
      if (last !== undefined && this.#isWalking) setImmediate(() => this.#walk(last.place))
    })
  }

  #look(sid: string): void {
    this.#trying(({ history }) => {
      const review = history.read(({ reviews }) => reviews.find(sid))
      if (review?.whenApproved === true && review.status === 'APPROVED') this.#run(review)
    })
  }

  #run(review: ListedReview): void {
    const { reviews, history } = this.#services
    const { sessionId } = review
    if (this.#asking.has(sessionId)) return
    // Expired reviews are left out, because `Reviews.tick` ends them.
    if (reviews.isAttended(sessionId) || review.expiresAt < history.clock.latest) return
    try {
      const asking = this.#begin(review)
      if (asking !== undefined) void this.#settle(review, asking)
    } catch (error) {
      this.#failed(review, error as Error)
    }
  }

  /** @throws HistoryError */
  #failed(review: ListedReview, error: Error): void {
    if (error instanceof HistoryError) throw error
    const isKnown = error instanceof RequestRefused
    if (!isKnown)
      this.#services.log.error(
        { sid: review.sessionId, error: error.message, stack: error.stack },
        'approved run failed',
      )
    this.#refused(review, isKnown ? error : refused('internal-error'))
  }

  /** Never rejects. */
  async #settle(review: ListedReview, asking: Promise<void>): Promise<void> {
    this.#asking.add(review.sessionId)
    try {
      await asking
    } catch (error) {
      this.#trying(() => this.#failed(review, error as Error))
    } finally {
      this.#asking.delete(review.sessionId)
    }
  }

  /** Starts the run at once, or returns a promise if lists of choices are asked first. */
  #begin({ sessionId, owner: name, ownerIdentity, batch }: ListedReview): Promise<void> | undefined {
    const { runs, runBatch } = this.#services
    const owner = this.#ownerNamed(name, ownerIdentity)
    if (batch !== undefined) return runBatch(batch.id, owner)
    const asking = runs.choicesCheck(sessionId, owner, true)
    if (asking === undefined) this.#start(sessionId, owner)
    return asking?.then(() => {
      // The gateway may have been closed, or the user deactivated, while the lists ran.
      if (!this.#isClosed) this.#start(sessionId, this.#ownerNamed(name, ownerIdentity))
    })
  }

  #start(sessionId: string, owner: GatewayUser): void {
    const { runs, executions, log } = this.#services
    const { session, request } = runs.start(sessionId, owner, { isAutomatic: true })
    executions.run(session, request, NO_WAIT).catch((error: unknown) => {
      log.error({ sid: sessionId, error: (error as Error).message }, 'approved run failed')
    })
  }

  /** @throws RequestRefused when the requester could not choose Run now */
  #ownerNamed(name: string, identity: string | undefined): GatewayUser {
    const { users } = this.#services
    const user = users.named(name)
    const obstacle = users.obstacleOf(name, identity)
    if (user !== undefined && obstacle === undefined) return user
    throw refused('not-permitted/owner-cannot-run', { name, obstacle: obstacle ?? '' })
  }

  #refused(before: ListedReview, { code, message }: RequestRefused): void {
    const { reviews, history, audit, log } = this.#services
    // The refusal has no effect if another client has run the session meanwhile, or if the owner has
    // withdrawn it.
    const review = history.read((tables) => tables.reviews.find(before.id))
    if (review?.status !== 'APPROVED' || code === 'already-processing') return
    const facts = { sid: review.sessionId, review: review.id, code, reason: message }
    if (PASSING.has(code)) {
      if (review.held?.code === code) return
      log.info(facts, 'approved run is on hold')
      return reviews.hold(review, { code, message })
    }
    log.warn(facts, 'approved run refused')
    reviews.refuse(review, `approved, but not run: ${message.replace(/^nothing has run[:,] /, '')}`)
    audit.note(automaticRun(review, { outcome: false, error_message: message.slice(0, MAX_MESSAGE) }))
  }

  /** Failed writes are retried later. Only the first failure is logged. */
  #trying(work: (services: AutomaticServices) => void): void {
    if (this.#isClosed) return
    try {
      work(this.#services)
      this.#isTold = false
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      if (!this.#isTold)
        this.#services.log.error(
          { error: error.message },
          'cannot read or write the history; approved runs wait until a retry succeeds',
        )
      this.#isTold = true
    }
  }
}

const MAX_MESSAGE = 500
