import { createHash } from 'node:crypto'
import type { Logger } from '../../basics/logger.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { History } from '../history/history.ts'
import { refused, RequestRefused } from '../refusals/request-refused.ts'
import type { Tables } from '../store/room.ts'
import { FIRST_TARGET_LABEL, targetOf } from '../sessions/first-run.ts'
import { fitsPackets, useOf, type SessionRequest } from '../sessions/session-request.ts'
import type { GatewaySession } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { GatewayUser } from '../identity.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import { auditFacts, type AuditFacts } from '../../contract/audit-entry.ts'
import type { Users } from '../people/identities/users.ts'
import { standing } from './decision.ts'
import type { Review, ShownRequest } from './review.ts'
import { decodeStoredRequest, type StoredSessionRequest } from './stored-request.ts'
import { countsOf } from './terminal-access.ts'
import { isInside } from './time-window.ts'
import type { RequestVault } from './vault.ts'

export interface RunServices {
  /** Refuses values that are no longer in their lists. */
  readonly choices: {
    readonly check: (request: Pick<SessionRequest, 'user' | 'connection' | 'choices'>) => Promise<void>
  }
  readonly history: History
  readonly sessions: Sessions
  readonly users: Users
  readonly vault: RequestVault
  readonly log: Logger
}

interface ApprovedRun {
  readonly session: GatewaySession
  readonly request: StoredSessionRequest & Pick<SessionRequest, 'connection'>
}

/** The batch that begins with this run. */
interface BatchClaim {
  readonly id: string
  readonly connections: readonly string[]
  /** Writes to the history that the batch is running. */
  readonly write: (tables: Tables) => void
}

interface ClaimOptions {
  readonly batch?: BatchClaim
  readonly isAutomatic?: boolean
}

/** Runs each approved request once, with the bytes that were stored with the request. */
export class ApprovedRuns {
  readonly #services: RunServices
  /** Sessions that run in this process. */
  readonly #running = new Set<string>()
  readonly #refusedChoices = new RecentRefusals()

  constructor(services: RunServices) {
    this.#services = services
  }

  /**
   * Starts an approved request. The start is written to the disk before anything goes to the agent, so a
   * session never runs twice, even after a kill. No `await` may come between the checks and this write, so the
   * choices are checked before (`choicesCheck`).
   * @param id id of the session or its review
   * @param how `batch`: the batch that the approval is for; `isAutomatic`: the gateway itself starts the run
   * @throws RequestRefused, HistoryError; then nothing has run. If approvals no longer count, the request
   * waits for people again. Otherwise the review has not changed.
   */
  start(id: string, caller: GatewayUser, how: ClaimOptions = {}): ApprovedRun {
    const { batch } = how
    const review = this.#services.history.read(({ reviews }) => reviews.find(id))
    if (review === undefined) throw refused('review-not-found/session')
    this.#check(review, caller)
    this.#checkApprovals(review)
    checkSubject(review, batch)
    const request = this.#requestOf(review)
    this.#checkAsker(request, how)
    if (batch !== undefined) checkConnections(request, batch)
    const start = this.#services.sessions.prepare(review.sessionId as SessionId, request)
    this.#claim(review, how)
    const session = start()
    void this.#follow(session, review)
    return { session, request }
  }

  /** As `start`, after the check of the choices, and after the lock of another program on the history. */
  async startSoon(id: string, caller: GatewayUser): Promise<ApprovedRun> {
    await this.choicesCheck(id, caller)
    return this.#services.history.patiently(() => this.start(id, caller))
  }

  /**
   * Asks whether the values of an approved request are still in their lists. Await this before `start`. A
   * value can leave its list between the two, because `start` cannot wait.
   * @param isAutomatic true if nobody waits for the answer: then a refusal is used again for a minute
   * @returns undefined if the request has no such values
   * @throws RequestRefused at once, for the reasons of `start`; the promise rejects for the reasons of the lists
   */
  choicesCheck(id: string, caller: GatewayUser, isAutomatic = false): Promise<void> | undefined {
    const request = this.request(id, caller)
    if (request.choices === undefined) return undefined
    if (isAutomatic) this.#refusedChoices.repeat(id)
    return this.#services.choices.check(request).catch((error: unknown) => {
      if (isAutomatic && error instanceof RequestRefused) this.#refusedChoices.add(id, error)
      throw error
    })
  }

  /**
   * Returns the request that `start` would run for this caller.
   * @throws RequestRefused, HistoryError
   */
  request(id: string, caller: GatewayUser): ApprovedRun['request'] {
    const review = this.#services.history.read(({ reviews }) => reviews.find(id))
    if (review === undefined) throw refused('review-not-found/session')
    this.#check(review, caller)
    return this.#requestOf(review)
  }

  /**
   * Marks reviews as EXECUTED if they are still PROCESSING, but their session does not run in this process.
   */
  repair(): void {
    const { history } = this.#services
    const left = history
      .read(({ reviews }) => reviews.processing())
      .filter(({ sessionId }) => !this.#running.has(sessionId))
    if (left.length === 0) return
    history.write(({ reviews }) => {
      for (const review of left) reviews.update({ ...review, status: 'EXECUTED' }, 'PROCESSING')
    })
  }

  #check({ sessionId, owner, type, status, expiresAt, timeWindow }: Review, caller: GatewayUser): void {
    if (this.#running.has(sessionId)) throw refused('already-processing', { session: sessionId })
    if (type === 'jit') throw refused('session-not-found/session')
    if (caller.name !== owner && !this.#services.users.seesAll(caller)) throw refused('not-permitted/execute')
    if (status !== 'APPROVED') throw notApproved()
    // An expired review is still APPROVED until `Reviews.tick` ends it some seconds later.
    if (expiresAt < this.#services.history.clock.latest) throw refused('review-wrong-state/expired')
    if (timeWindow !== undefined && !isInside(timeWindow, new Date()))
      throw refused('outside-time-window', { start: timeWindow.start, end: timeWindow.end })
  }

  /** Approvers must still be users. If approvals are missing now, the request waits for people again. */
  #checkApprovals(review: Review): void {
    const { users, history, log } = this.#services
    const counts = countsOf(users)
    const now = standing(review, counts)
    if (now.status === review.status) return
    history.write(({ reviews }) => reviews.update(now, review.status))
    const gone = review.groups.filter((entry) => entry.status === 'APPROVED' && !counts(entry))
    const names = [...new Set(gone.map(({ reviewedBy }) => reviewedBy))].join(', ')
    log.warn({ sid: review.sessionId, review: review.id, approvers: names }, 'approval no longer counts')
    throw refused('review-wrong-state/approver-gone', { names })
  }

  /** Returns the stored request with the present settings of its connection. */
  #requestOf(review: Review): ApprovedRun['request'] {
    const connection = this.#connectionOf(review)
    const stored = this.#stored(review)
    const request = { ...stored, connection }
    const use = useOf(request)
    if (!connection.access[use]) throw refused('not-permitted/use', { use })
    const bringsMore =
      request.bringsInput ?? (request.clientArgs.length > 0 || review.shown.envVars.length > 0)
    if (use === 'runbooks' && bringsMore && !connection.access.clientInput)
      throw refused('client-input-refused/no-longer', { name: connection.name })
    this.#checkTarget(request)
    if (fitsPackets(request)) return request
    throw refused('too-large/stored-request')
  }

  /** The dry run of a pair holds only for the connection that it ran on. */
  #checkTarget({ labels, origin, connection }: ApprovedRun['request']): void {
    const target = labels[FIRST_TARGET_LABEL]
    if (target === undefined || origin !== 'client-api-runbooks') return
    if (this.#services.vault.digest(targetOf(connection), 'first') === target) return
    throw refused('first-void/moved', { name: connection.name })
  }

  /** The requester must still be the same user. For an automatic run, the token must not be revoked. */
  #checkAsker({ user, asker, token }: StoredSessionRequest, { isAutomatic = false }: ClaimOptions): void {
    const { users } = this.#services
    if (asker !== undefined && asker !== users.identity(user))
      throw refused('not-permitted/name-of-another', { user })
    const withdrawal = token && users.withdrawal(token)
    if (isAutomatic && withdrawal !== undefined) throw refused('token-ended/run', { withdrawal, user })
  }

  #connectionOf({ owner, connection: name }: Review): ConnectionSettings {
    const { users } = this.#services
    const user = users.named(owner)
    const connection = user && users.connection(user, name)
    if (connection !== undefined) return connection
    throw refused('not-permitted/connection-gone', { name, owner })
  }

  #stored(review: Review): ReturnType<typeof decodeStoredRequest> {
    const { history, vault } = this.#services
    const sealed = history.read(({ reviews }) => reviews.request(review.id))
    if (sealed === undefined) throw notApproved()
    const { plain, broken } = vault.unseal(sealed, sealPurpose(review))
    if (plain === undefined) throw unreadable(review, broken)
    const stored = decodeStoredRequest(plain)
    const { kind, hex } = review.shown.scriptDigest
    if (digestOf(vault, stored.script, kind) === hex) return stored
    throw unreadable(review, 'the script differs from the approved script')
  }

  #claim(review: Review, { batch, isAutomatic = false }: ClaimOptions): void {
    const claimed = { ...review, status: 'PROCESSING', claimedAt: Date.now() } as const
    const isMine = this.#services.history.write((tables) => {
      const { reviews } = tables
      if (!reviews.update(claimed, 'APPROVED')) return false
      reviews.dropRequest(review.id)
      batch?.write(tables)
      if (isAutomatic) tables.audit.append(automaticRun(review))
      return true
    })
    if (!isMine) throw notApproved()
    this.#running.add(review.sessionId)
  }

  async #follow(session: GatewaySession, { id, sessionId }: Review): Promise<void> {
    const { history, log } = this.#services
    await session.ended.catch(() => undefined)
    this.#running.delete(sessionId)
    try {
      history.write(({ reviews }) => {
        const review = reviews.find(id)
        if (review !== undefined) reviews.update({ ...review, status: 'EXECUTED' }, 'PROCESSING')
      })
    } catch (error) {
      log.error({ sid: sessionId, error: (error as Error).message }, 'review not updated; will retry')
    }
  }
}

/** Without this time, the gateway would run a list that fails every few seconds, as long as an approval lasts. */
const REPEATED_MS = 60_000

class RecentRefusals {
  readonly #refusals = new Map<string, { readonly at: number; readonly error: RequestRefused }>()

  add(id: string, error: RequestRefused): void {
    const now = performance.now()
    for (const [other, { at }] of this.#refusals) if (now - at > REPEATED_MS) this.#refusals.delete(other)
    this.#refusals.set(id, { at: now, error })
  }

  /** @throws the refusal of this id, if it is recent */
  repeat(id: string): void {
    const known = this.#refusals.get(id)
    if (known !== undefined && performance.now() - known.at <= REPEATED_MS) throw known.error
  }
}

/** @throws RequestRefused when the approval is for a batch and the caller runs one of its sessions */
function checkSubject({ batch: approved }: Review, batch: BatchClaim | undefined): void {
  if (approved?.id === batch?.id) return
  throw refused('review-wrong-state/batch', { id: String(approved?.id) })
}

/** @throws RequestRefused when the connections differ from those that were approved */
function checkConnections({ batchConnections = [] }: StoredSessionRequest, batch: BatchClaim): void {
  if (batchConnections.join() === batch.connections.join()) return
  throw refused('review-wrong-state/other-connections')
}

export function sealPurpose({ id, sessionId }: Pick<Review, 'id' | 'sessionId'>): string {
  return `review ${id} session ${sessionId}`
}

export function digestOf(
  vault: RequestVault,
  script: Buffer,
  kind: ShownRequest['scriptDigest']['kind'],
): string {
  return kind === 'sha256' ? createHash('sha256').update(script).digest('hex') : vault.digest(script)
}

function unreadable({ sessionId }: Review, reason: string): RequestRefused {
  return refused('review-wrong-state/unreadable', { session: sessionId, reason })
}

function notApproved(): RequestRefused {
  return refused('review-wrong-state/not-approved')
}

/** The audit log's entry about a run that the gateway itself begins in the requester's name. */
export function automaticRun(
  { id, owner, sessionId, batch }: Review,
  more: Partial<AuditFacts> = {},
): AuditFacts {
  return auditFacts({
    actor: owner,
    action: 'run',
    resource_type: 'sessions',
    resource_id: sessionId,
    request_payload_redacted: { when_approved: true, review: id, batch: batch?.id },
    ...more,
  })
}
