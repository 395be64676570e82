import { NO_EXIT_CODE } from '../../basics/exit-code.ts'
import type { StateAnswer, StateName } from '../../contract/session-state.ts'
import { STATES_OF_CAUSES } from '../history/end-states.ts'
import type { EndCause, SessionSummary } from '../history/session.ts'

/** A session that has a lock, or waits for a lock. */
export interface LockSession {
  readonly sid: string
  readonly user: string
  /** Time at which the session got the lock or began to wait, in ms since 1970. */
  readonly since: number
}

/** Lock for which a session waits. */
export interface LockObstacle {
  readonly lock: string
  /** Undefined when the lock is free, but other sessions wait longer. */
  readonly holder: LockSession | undefined
  /** Number of sessions that wait longer for this lock. */
  readonly ahead: number
}

/** Agent for which a session waits. */
export interface AgentWait {
  readonly agent: string
  /** Time at which the gateway ends the session if the agent has not connected. */
  readonly until: Date
}

// REST answers, the page, the command line and webhooks all use these texts.

const WORDS = {
  'waiting-for-approval': 'waits for approval',
  approved: 'approved, has not run yet',
  'waiting-for-lock': 'waits for lock',
  'waiting-for-agent': 'waits for agent',
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  stopped: 'stopped',
  closed: 'closed',
  'timed-out': 'time limit reached',
  'limit-reached': 'stopped at a limit',
  blocked: 'stopped by a guardrail',
  refused: 'refused',
  rejected: 'rejected',
  revoked: 'approval revoked',
  withdrawn: 'withdrawn',
  expired: 'expired, because nobody approved or ran the session in time',
  'lock-busy': 'waited too long for a lock',
  'agent-offline': 'agent was offline',
  'agent-silent': 'agent did not answer',
  'agent-lost': 'agent was lost',
  'agent-stopped': 'agent was stopped',
  'gateway-stopped': 'gateway was stopped',
  'gateway-lost': 'gateway was killed',
} as const satisfies Readonly<Record<StateName, string>>

export interface SessionState {
  readonly name: StateName
  /** Has no times: readers have different time zones. Times are only in `since` and `until`. */
  readonly text: string
  /** The user who has stopped, rejected, revoked or withdrawn the session, or who has the lock. */
  readonly by?: string
  /** The lock that the session waits for. */
  readonly lock?: string
  /** Time at which the other session got the lock. */
  readonly since?: Date
  /** The agent that the session waits for. */
  readonly agent?: string
  /** Time at which the wait for the agent ends. */
  readonly until?: Date
}

/** The facts that decide the state, from the history or from a message about an end. */
export type Stated = Pick<
  SessionSummary,
  'status' | 'exitCode' | 'cause' | 'guardrails' | 'review' | 'isPort'
>

/** @param obstacle the lock or the agent for which a running session waits at this moment */
export function stateOf(session: Stated, obstacle?: LockObstacle | AgentWait): SessionState {
  const { status, review } = session
  if (status === 'ready') return worded('approved')
  if (status === 'done') return endOf(session)
  if (review?.status === 'PENDING') return worded('waiting-for-approval')
  if (obstacle === undefined) return worded('running')
  if ('lock' in obstacle) return lockState(obstacle)
  const name = 'waiting-for-agent'
  return { name, text: `${WORDS[name]} ${obstacle.agent}`, ...obstacle }
}

function worded(name: StateName, by?: string): SessionState {
  return { name, text: WORDS[name] + (by === undefined ? '' : ` by ${by}`), ...(by !== undefined && { by }) }
}

function lockState({ lock, holder, ahead }: LockObstacle): SessionState {
  const name = 'waiting-for-lock'
  const text = `${WORDS[name]} ${lock}`
  if (holder === undefined) return { name, lock, text: `${text}; sessions ahead in the queue: ${ahead}` }
  return {
    name,
    lock,
    by: holder.user,
    since: new Date(holder.since),
    text: `${text}, held by ${holder.user}`,
  }
}

function endOf({ exitCode, cause, guardrails, review, isPort }: Stated): SessionState {
  // A session of native clients continues after a refused statement.
  if (guardrails !== undefined && isPort !== true) return worded('blocked')
  const name = cause && stateOfCause(cause)
  if (name !== undefined) return worded(name, cause?.by)
  const denied = review === undefined || cause !== undefined ? undefined : deniedBefore(review, exitCode)
  if (denied !== undefined) return denied
  if (exitCode === 0) return worded('succeeded')
  return { name: 'failed', text: exitCode === undefined ? WORDS.failed : `${WORDS.failed} (${exitCode})` }
}

/** Only the gateway may set these causes: they report an act of a person or of the gateway. */
const NOT_OF_AGENTS = new Set<StateName>([
  'stopped',
  'closed',
  'rejected',
  'revoked',
  'withdrawn',
  'expired',
  'lock-busy',
  'agent-offline',
  'agent-silent',
  'agent-lost',
  'gateway-stopped',
  'gateway-lost',
])

/** Returns undefined for a reason that an agent cannot know. */
export function agentsCause(reason: string | undefined): string | undefined {
  if (reason === undefined || reason === 'access-ended' || reason === 'session-expired') return undefined
  const name = stateOfCause({ code: reason })
  return name !== undefined && NOT_OF_AGENTS.has(name) ? undefined : reason
}

function stateOfCause({ code, by }: EndCause): StateName | undefined {
  // With a user, the approval of a terminal was revoked. Without a user, the terminal's time was over.
  if (code === 'access-ended' && by !== undefined) return 'revoked'
  return Object.hasOwn(STATES_OF_CAUSES, code) ? STATES_OF_CAUSES[code] : undefined
}

/**
 * Returns the state of a rejected or revoked session that an older version recorded without a cause.
 * @param exitCode `NO_EXIT_CODE` for a session that has not run
 */
function deniedBefore(
  { status, type, groups }: NonNullable<SessionSummary['review']>,
  exitCode: number | undefined,
): SessionState | undefined {
  if (status !== 'REJECTED' && status !== 'REVOKED') return undefined
  if (type === 'jit' && exitCode !== NO_EXIT_CODE) return undefined
  const by = groups.find((group) => group.status === status)?.reviewedBy
  return worded(status === 'REJECTED' ? 'rejected' : 'revoked', by)
}

/** The form of REST answers and webhooks. */
export function stateView({ name, text, by, lock, since, agent, until }: SessionState): StateAnswer {
  const ofLock = { lock: lock ?? null, since: since?.toISOString() ?? null }
  return { name, text, by: by ?? null, ...ofLock, agent: agent ?? null, until: until?.toISOString() ?? null }
}
