import { setTimeout as delay } from 'node:timers/promises'
import type { Account } from '../account/account.ts'
import { ApiError } from '../rest/http/api-error.ts'
import { fetchSession, type RecordedSession } from '../rest/sessions.ts'

/** Time before the second look at a session. Short, for short sessions. */
export const FIRST_WAIT_MS = 250
/** How long a gateway may be away. Enough for its restart, or for a laptop that changes its network. */
export const AWAY_MS = 5 * 60_000

/** What can be seen of a session that runs elsewhere. */
type Sight =
  | { readonly kind: 'seen'; readonly session: RecordedSession }
  /** The gateway does not answer. It will be asked again. */
  | { readonly kind: 'away'; readonly reason: string }

/** Until it has ended or waits after a review (48 hours at most). @throws ApiError: away for 5 minutes, or a refusal */
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
const LONGEST_MS = 5000

/** The next wait between two looks, in milliseconds. It grows, to spare the gateway. */
export function longer(waitMs: number): number {
  return Math.min(waitMs * GROWTH, LONGEST_MS)
}

/** A piece of what a session writes, while it runs. */
export interface SessionPiece {
  readonly kind: 'event'
  /** `o` is output, `e` a text about the session, `i` its input. Where there is no stream, all is output. */
  readonly type: string
  /** Undefined where there is no stream. */
  readonly time: string | undefined
  readonly bytes: Buffer
}

/** What can be seen of an execution before it has ended. */
export type ExecutionSight =
  /** Its session, which can be found and killed by this id. */
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'bytes'; readonly bytes: number }
  | SessionPiece
  /** So many bytes of its output are not in the record. */
  | { readonly kind: 'incomplete'; readonly bytes: number }
  /** Somebody has to approve it, at this URL. */
  | { readonly kind: 'review'; readonly id: string; readonly url: string }
  /** It was approved, and is run now. */
  | { readonly kind: 'approved' }
  /** The gateway has answered before its end. `lock` is what the session waits for before it runs. */
  | { readonly kind: 'going-on'; readonly id: string; readonly lock?: string }
  /** What the gateway wants to be known about it: that the runbook is an old copy. */
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'away'; readonly reason: string }
  | { readonly kind: 'back' }

/** Looks at a session until it has ended, or `isSo`. @returns the session as it is then */
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
    yield { kind: 'bytes', bytes: value.session.outputBytes }
  }
}
