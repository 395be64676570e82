import { setTimeout as delay } from 'node:timers/promises'
import { patience, within } from '../../basics/abort.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from '../rest/api-error.ts'
import type { RestReply } from '../rest/json.ts'
import { type RecordedSession, findByCorrelation } from '../rest/sessions.ts'
import {
  runApproved,
  startExecution,
  type FollowOptions,
  type ReadExecution,
  type RestExecution,
} from './execution-request.ts'
import { FIRST_WAIT_MS, longer, watch, type ExecutionSight } from './follow.ts'
import { outcomeOfAnswer, outcomeOfRecord, outcomeWithoutRecord, type Outcome } from './outcome.ts'

export class ReviewRejected extends Error {
  override readonly name = 'ReviewRejected'
}

/**
 * Maximum wait for a missing exit code. The gateway may have sent its answer before the agent's close
 * arrived.
 */
const SETTLE_MS = 10_000
/** Maximum wait for the reason of a rejection. Without an answer, the end is reported without the reason. */
const REJECTION_MS = 10_000

type Sights = AsyncGenerator<ExecutionSight, Outcome>

/**
 * Runs a runbook and follows it to its end, even if the answer or the agent's close (protocol.md 4.1) is
 * lost.
 * @param asking its `signal` ends the following, but not the execution
 * @throws ApiError when nothing ran or the end is unknown; ReviewRejected
 */
export async function* executeByRest(
  account: Account,
  request: RestExecution,
  asking: FollowOptions,
): Sights {
  const { signal } = asking
  const answered = settle(startExecution(account, request, asking))
  const known = yield* lookOn(account, request.correlationId, answered, signal)
  const outcome = await answered
  if ('value' in outcome) return yield* afterAnswer(account, outcome, asking)
  if (!(outcome.error instanceof ApiError) || !outcome.error.isAnswerLost || signal.aborted)
    throw outcome.error
  yield { kind: 'away', reason: outcome.error.message }
  const id = known ?? (await untilFound(account, request.correlationId, signal))?.id
  // The end is unknown. The gateway may have received the request without recording its correlation id.
  if (id === undefined) throw outcome.error
  yield { kind: 'session', id }
  yield { kind: 'going-on', id }
  return yield* followToEnd(account, id, asking)
}

type Settled<T> = T | { readonly error: unknown }

function settle<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.catch((error: unknown) => ({ error }))
}

async function* afterAnswer(
  account: Account,
  { status, value }: RestReply<ReadExecution>,
  asking: FollowOptions,
): Sights {
  const { signal } = asking
  const { session_id: id, has_review: hasReview, exit_code: code } = value
  yield { kind: 'session', id }
  if (value.waits_for !== undefined) yield { kind: 'warning', text: lockText(value) }
  if (value.warning !== '') yield { kind: 'warning', text: value.warning }
  if (hasReview) {
    yield { kind: 'review', id, url: value.output }
    return yield* value.when_approved
      ? afterAutomaticRun(account, id, asking)
      : afterReview(account, id, asking)
  }
  if (status === 202 || value.output_status === 'running') {
    yield { kind: 'going-on', id, ...(value.waits_for !== undefined && { lock: value.waits_for.lock }) }
    yield* untilAgent(account, value, signal)
    return yield* followToEnd(account, id, asking)
  }
  return code === -2 ? yield* withoutCode(account, value, signal) : outcomeOfAnswer(account, value, signal)
}

async function* untilAgent(
  account: Account,
  { session_id: id, waits_for_agent: wait }: ReadExecution,
  signal: AbortSignal,
): AsyncGenerator<ExecutionSight, void> {
  if (wait === undefined) return
  yield { kind: 'agent-away', agent: wait.agent, until: wait.until }
  yield* watch(account, id, ({ state }) => state?.name !== 'waiting-for-agent', signal)
  yield { kind: 'agent-back' }
}

function lockText({ session_id: id, waits_for: wait }: ReadExecution): string {
  if (wait === undefined) return ''
  const { lock, session_id: holder, user, since, ahead } = wait
  const who = holder === null ? '' : `, held by session ${holder} of ${user ?? '?'} since ${since ?? '?'}`
  return `session ${id} waits for lock ${lock}${who}${ahead > 0 ? `; sessions ahead in the queue: ${ahead}` : ''}`
}

/**
 * Gets a missing exit code from the record. The gateway may have sent its answer before the agent's close
 * arrived, and then only the record has the code.
 */
async function* withoutCode(account: Account, answer: ReadExecution, signal: AbortSignal): Sights {
  const settled = patience(SETTLE_MS, signal)
  try {
    const session = yield* watch(account, answer.session_id, () => false, settled)
    // There is no deadline here, because reading the output may take long.
    return outcomeOfRecord(account, session, answer, signal)
  } catch (error) {
    if (signal.aborted || !(settled.aborted || error instanceof ApiError)) throw error
    return outcomeWithoutRecord(answer)
  }
}

/** @throws ApiError */
export async function* followToEnd(account: Account, id: string, { signal, isLive }: FollowOptions): Sights {
  if (isLive) return yield* (await import('./live.ts')).liveToEnd(account, id, signal)
  const session = yield* watch(account, id, () => false, signal)
  return outcomeOfRecord(account, session, undefined, signal)
}

/**
 * Runs a session after its approval. A gateway that is stopping starts no session. In this case the request
 * is repeated until the restarted gateway starts the session.
 */
async function* afterReview(account: Account, id: string, asking: FollowOptions): Sights {
  const { signal } = asking
  for (let wait = FIRST_WAIT_MS; ; wait = longer(wait)) {
    const session = yield* watch(account, id, isDecided, signal)
    if (session.review?.status === 'REJECTED' || session.review?.status === 'REVOKED')
      throw new ReviewRejected(await describeRejection(account, id, session.review.status))
    if (session.status === 'done') return outcomeOfRecord(account, session, undefined, signal)
    yield { kind: 'approved' }
    try {
      return yield* executeApproved(account, id, asking)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // Another client already runs the session.
      if (error.status === 409) return yield* followToEnd(account, id, asking)
      if (!isForTheNext(error)) throw error
      yield { kind: 'away', reason: error.message }
      await delay(wait, undefined, { signal })
    }
  }
}

async function* afterAutomaticRun(account: Account, id: string, asking: FollowOptions): Sights {
  const session = yield* watch(account, id, hasBegun, asking.signal)
  if (session.review?.status === 'REJECTED' || session.review?.status === 'REVOKED')
    throw new ReviewRejected(await describeRejection(account, id, session.review.status))
  yield { kind: 'approved' }
  return yield* followToEnd(account, id, asking)
}

async function describeRejection(account: Account, id: string, status: string): Promise<string> {
  const text = `the review of session ${id} was ${status.toLowerCase()}`
  try {
    const { deciderOf, fetchReview } = await import('../rest/reviews.ts')
    const review = await fetchReview(account, id, REJECTION_MS)
    const { rejection_reason: reason, review_groups_data: groups } = review
    const rejecting = groups.find((group) => group.status === status)
    const by = rejecting === undefined ? '' : deciderOf(rejecting)
    return `${text}${by === '' ? '' : ` by ${by}`}${reason === '' ? '' : `: ${reason}`}`
  } catch {
    return text
  }
}

/** Whether nothing has run and the gateway may run the session after its restart. */
function isForTheNext({ code, kind, isAnswerLost }: ApiError): boolean {
  return code === 'gateway-draining' || (kind === 'unreachable' && !isAnswerLost)
}

/** @throws ApiError when nothing ran */
export async function* executeApproved(account: Account, id: string, asking: FollowOptions): Sights {
  const answered = await settle(runApproved(account, id, asking))
  if ('value' in answered) return yield* afterAnswer(account, answered, asking)
  const { error } = answered
  if (!(error instanceof ApiError) || !error.isAnswerLost || asking.signal.aborted) throw error
  yield { kind: 'away', reason: error.message }
  return yield* followToEnd(account, id, asking)
}

function isDecided({ status, review }: RecordedSession): boolean {
  return status === 'ready' || (review !== undefined && review.status !== 'PENDING')
}

/**
 * Whether the run has begun. An approval alone does not mean this, because a condition of the approval may
 * still delay the run.
 */
function hasBegun({ status, review }: RecordedSession): boolean {
  return status !== 'ready' && review !== undefined && !['PENDING', 'APPROVED'].includes(review.status)
}

const FIRST_LOOK_MS = 1000
/** Maximum time until a session is found. A busy gateway needs some time to record it. */
const FIND_MS = 30_000

/** Yields the progress while the answer is outstanding. @returns the session's id if found */
async function* lookOn(
  account: Account,
  correlationId: string,
  answered: Promise<unknown>,
  signal: AbortSignal,
): AsyncGenerator<ExecutionSight, string | undefined> {
  let known: string | undefined
  for (let wait = FIRST_LOOK_MS; ; wait = longer(wait)) {
    if (await within(answered, wait)) return known
    const session = await look(account, correlationId, signal)
    if (session === undefined) continue
    if (known === undefined) yield { kind: 'session', id: session.id }
    known = session.id
    yield { kind: 'bytes', bytes: session.event_size }
  }
}

/** Returns undefined after a failure, because the caller asks again or gets the answer. */
async function look(
  account: Account,
  correlationId: string,
  signal: AbortSignal,
): Promise<RecordedSession | undefined> {
  try {
    return await findByCorrelation(account, correlationId, signal)
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}

/**
 * Looks for the session after its answer was lost. Returns undefined when the gateway has no such session.
 */
async function untilFound(
  account: Account,
  correlationId: string,
  signal: AbortSignal,
): Promise<RecordedSession | undefined> {
  const end = performance.now() + FIND_MS
  for (let wait = FIRST_LOOK_MS; performance.now() < end; wait = longer(wait)) {
    const session = await look(account, correlationId, signal)
    if (session !== undefined) return session
    await delay(wait, undefined, { signal })
  }
  return undefined
}
