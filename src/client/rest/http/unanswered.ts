import { setTimeout as delay } from 'node:timers/promises'
import { within } from '../../../basics/within.ts'
import type { Account } from '../../account/account.ts'
import { ApiError } from './api-error.ts'
import { longer, type ExecutionSight } from '../../running/follow.ts'
import { findByCorrelation, type RecordedSession } from '../sessions.ts'

// For an execution that has no answer yet, or whose answer was lost: its session is found by the correlation id.

/** First wait between two looks at the running session, while the answer is outstanding. */
const FIRST_LOOK_MS = 1000
/** A session appears before its execution starts, but a busy gateway needs a moment. */
const FIND_MS = 30_000

/** Yields what can be seen of an execution that has no answer yet. @returns the session's id, as soon as it is known */
export async function* lookOn(
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
    yield { kind: 'bytes', bytes: session.outputBytes }
  }
}

/** Looks once. A failure is ignored, since the answer is on its way anyhow. */
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

/** The session of a request whose answer was lost; undefined when the gateway has none with this id. */
export async function untilFound(
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
