import { setTimeout as delay } from 'node:timers/promises'
import type { Account } from './account.ts'
import { ApiError } from './api-error.ts'
import {
  runApproved,
  startExecution,
  type ExecutionAnswer,
  type ExecutionRequest,
} from './execution-request.ts'
import { follow } from './follow.ts'
import type { Reply } from './json.ts'
import { longer } from './longer.ts'
import { outcomeOfAnswer, outcomeOfRecord, outcomeWithoutRecord, reasonIn, type Outcome } from './outcome.ts'
import { findByCorrelation, type Session } from './sessions.ts'

/** What is seen of an execution before it has ended. */
export type ExecutionSight =
  /** It has a session, which can be found and killed by this id. */
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'bytes'; readonly bytes: number }
  /** Somebody has to approve it, there. */
  | { readonly kind: 'review'; readonly url: string }
  | { readonly kind: 'away'; readonly reason: string }
  | { readonly kind: 'back' }

/** Somebody has said no. */
export class ReviewRejected extends Error {
  override readonly name = 'ReviewRejected'
}

/** While the answer is waited for: one question about what runs by now, and the next. */
const FIRST_LOOK_MS = 1000
/** A session appears before its execution starts; a busy gateway needs a moment. */
const FIND_MS = 30_000
/** For the record of what has no code: it is closed within moments, if somebody closes it. */
const SETTLE_MS = 10_000

type Sights = AsyncGenerator<ExecutionSight, Outcome>

/**
 * Runs a runbook and follows it to its end, whatever is lost on the way: the answer, the gateway for a while, the
 * agent's close (protocol.md 4.1).
 * @param signal ends the looking on, and the output that is being read; the execution goes on
 * @throws ApiError where nothing ran, or nobody knows any more; ReviewRejected
 */
export async function* execute(account: Account, request: ExecutionRequest, signal: AbortSignal): Sights {
  const answered = settle(startExecution(account, request, signal))
  const known = yield* lookOn(account, request, answered, signal)
  const outcome = await answered
  if ('value' in outcome) return yield* afterAnswer(account, outcome, signal)
  if (!(outcome.error instanceof ApiError) || !outcome.error.isAnswerLost || signal.aborted)
    throw outcome.error
  yield { kind: 'away', reason: outcome.error.message }
  const id = known ?? (await find(account, request, signal))?.id
  // It may have got there; if it did, that gateway does not say where its sessions come from.
  if (id === undefined) throw outcome.error
  yield { kind: 'session', id }
  return yield* toEnd(account, id, signal)
}

type Settled<T> = T | { readonly error: unknown }

function settle<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.catch((error: unknown) => ({ error }))
}

/** What can be seen while there is no answer. @returns the session's id, as soon as it is known */
async function* lookOn(
  account: Account,
  request: ExecutionRequest,
  answered: Promise<unknown>,
  signal: AbortSignal,
): AsyncGenerator<ExecutionSight, string | undefined> {
  let known: string | undefined
  for (let wait = FIRST_LOOK_MS; ; wait = longer(wait)) {
    if (await isOver(answered, wait)) return known
    const session = await look(account, request, signal)
    if (session === undefined) continue
    if (known === undefined) yield { kind: 'session', id: session.id }
    known = session.id
    yield { kind: 'bytes', bytes: session.outputBytes }
  }
}

/** Waits for a promise, but not for long. */
async function isOver(promise: Promise<unknown>, withinMs: number): Promise<boolean> {
  const enough = new AbortController()
  const late = delay(withinMs, false, { signal: enough.signal }).catch(() => false)
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    enough.abort()
  }
}

/** Nobody is told when this fails: it is about what is on its way anyhow. */
async function look(
  account: Account,
  request: ExecutionRequest,
  signal: AbortSignal,
): Promise<Session | undefined> {
  try {
    return await findByCorrelation(account, request.correlationId, signal)
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}

async function find(
  account: Account,
  request: ExecutionRequest,
  signal: AbortSignal,
): Promise<Session | undefined> {
  const end = performance.now() + FIND_MS
  for (let wait = FIRST_LOOK_MS; performance.now() < end; wait = longer(wait)) {
    const session = await look(account, request, signal)
    if (session !== undefined) return session
    await delay(wait, undefined, { signal })
  }
  return undefined
}

async function* afterAnswer(
  account: Account,
  { status, value }: Reply<ExecutionAnswer>,
  signal: AbortSignal,
): Sights {
  const { session_id: id, has_review: hasReview, exit_code: code } = value
  yield { kind: 'session', id }
  if (hasReview) {
    yield { kind: 'review', url: value.output }
    return yield* afterReview(account, id, signal)
  }
  if (status === 202 || value.output_status === 'running') return yield* toEnd(account, id, signal)
  return code === -2 ? yield* withoutCode(account, value, signal) : outcomeOfAnswer(account, value, signal)
}

/** The answer has no code. The record may: the close can be lost on the way to the answer. */
async function* withoutCode(account: Account, answer: ExecutionAnswer, signal: AbortSignal): Sights {
  const settled = AbortSignal.any([signal, AbortSignal.timeout(SETTLE_MS)])
  try {
    const session = yield* watch(account, answer.session_id, () => false, settled)
    // Not by the deadline: reading the output may take long.
    return outcomeOfRecord(account, session, reasonIn(answer), signal)
  } catch (error) {
    if (signal.aborted || !(settled.aborted || error instanceof ApiError)) throw error
    return outcomeWithoutRecord(answer)
  }
}

/** Follows a session to its end. */
async function* toEnd(account: Account, id: string, signal: AbortSignal): Sights {
  const session = yield* watch(account, id, () => false, signal)
  return outcomeOfRecord(account, session, undefined, signal)
}

async function* afterReview(account: Account, id: string, signal: AbortSignal): Sights {
  const session = yield* watch(account, id, isDecided, signal)
  if (session.review === 'REJECTED' || session.review === 'REVOKED')
    throw new ReviewRejected(`the review of session ${id} was ${session.review.toLowerCase()}`)
  if (session.status === 'done') return outcomeOfRecord(account, session, undefined, signal)
  try {
    return yield* afterAnswer(account, await runApproved(account, id, signal), signal)
  } catch (error) {
    // Somebody else has run it already, or we have, and the answer was lost.
    const isRunning = error instanceof ApiError && (error.status === 409 || error.isAnswerLost)
    if (!isRunning) throw error
    return yield* toEnd(account, id, signal)
  }
}

function isDecided({ status, review }: Session): boolean {
  return status === 'ready' || (review !== undefined && review !== 'PENDING')
}

/** Looks at a session until it has ended or something else is so. @returns it as it is then */
async function* watch(
  account: Account,
  id: string,
  isEnough: (session: Session) => boolean,
  signal: AbortSignal,
): AsyncGenerator<ExecutionSight, Session> {
  const sights = follow(account, id, signal)
  let away = false
  for (;;) {
    const { done, value } = await sights.next()
    if (done === true) return value
    if (value.kind === 'away') yield value
    else if (away) yield { kind: 'back' }
    away = value.kind === 'away'
    if (value.kind === 'away') continue
    if (isEnough(value.session)) return value.session
    yield { kind: 'bytes', bytes: value.session.outputBytes }
  }
}
