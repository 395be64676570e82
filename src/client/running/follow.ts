import { setTimeout as delay } from 'node:timers/promises'
import type { Account } from '../account/account.ts'
import { ApiError } from '../rest/api-error.ts'
import { fetchSession, type RecordedSession } from '../rest/sessions.ts'

/** The first wait is short, because many sessions are short. */
export const FIRST_WAIT_MS = 250
/**
 * Maximum time without an answer. It is enough for a gateway's restart, or for a laptop that changes its
 * network.
 */
export const AWAY_MS = 5 * 60_000

type Sight =
  | { readonly kind: 'seen'; readonly session: RecordedSession }
  /** The gateway does not answer; the request will be retried. */
  | { readonly kind: 'away'; readonly reason: string }

/**
 * Yields until the session has ended.
 * @throws ApiError when the gateway was away for 5 minutes or refuses the request
 */
async function* follow(
  account: Account,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<Sight, RecordedSession> {
  let awaySince: number | undefined
  for (let wait = FIRST_WAIT_MS; ; wait = longer(wait)) {
    try {
      const session = await fetchSession(account, id, signal)
      awaySince = undefined
      if (session.status === 'done') return session
      yield { kind: 'seen', session }
    } catch (error) {
      awaySince ??= performance.now()
      if (!isPassing(error) || signal.aborted || performance.now() - awaySince > AWAY_MS) throw error
      yield { kind: 'away', reason: error.message }
    }
    await delay(wait, undefined, { signal })
  }
}

export function isPassing(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.kind === 'unreachable' || error.kind === 'failed')
}

const GROWTH = 1.5
const MAX_MS = 5000

/** Returns the next wait. Waits become longer, to reduce the load on the gateway. */
export function longer(waitMs: number): number {
  return Math.min(waitMs * GROWTH, MAX_MS)
}

export interface SessionPiece {
  readonly kind: 'event'
  /**
   * `o` for output, `e` for a text about the session, `i` for its input. If the gateway has no stream, this
   * is always `o`.
   */
  readonly type: string
  /** Undefined if the gateway has no stream. */
  readonly time: string | undefined
  readonly bytes: Buffer
}

export type ExecutionSight =
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'bytes'; readonly bytes: number }
  | SessionPiece
  /** The record lacks this many bytes of output. */
  | { readonly kind: 'incomplete'; readonly bytes: number }
  /** The session waits for approval at this URL. */
  | { readonly kind: 'review'; readonly id: string; readonly url: string }
  | { readonly kind: 'approved' }
  /** The session waits for this agent, until this time at most. */
  | { readonly kind: 'agent-away'; readonly agent: string; readonly until: string }
  /** The session no longer waits for its agent. */
  | { readonly kind: 'agent-back' }
  /** The execution continues after the gateway's answer. `lock` is the lock for which the session waits. */
  | { readonly kind: 'going-on'; readonly id: string; readonly lock?: string }
  /** A warning, for example that the runbook is an old copy. */
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'away'; readonly reason: string }
  | { readonly kind: 'back' }

/** Follows a session until it has ended or `isEnough` returns true. */
export async function* watch(
  account: Account,
  id: string,
  isEnough: (session: RecordedSession) => boolean,
  signal: AbortSignal,
): AsyncGenerator<ExecutionSight, RecordedSession> {
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
    yield { kind: 'bytes', bytes: value.session.event_size }
  }
}
