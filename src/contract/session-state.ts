import * as v from 'valibot'
import type { Frozen } from './contract.ts'
import { about, text, time } from './words.ts'

export const STATE_NAMES = [
  'waiting-for-approval',
  'approved',
  'waiting-for-lock',
  'waiting-for-agent',
  'running',
  'succeeded',
  'failed',
  'stopped',
  'closed',
  'timed-out',
  'limit-reached',
  'blocked',
  'refused',
  'rejected',
  'revoked',
  'withdrawn',
  'expired',
  'lock-busy',
  'agent-offline',
  'agent-silent',
  'agent-lost',
  'agent-stopped',
  'gateway-stopped',
  'gateway-lost',
] as const
export type StateName = (typeof STATE_NAMES)[number]

export const StateShape = v.strictObject({
  name: about('name of the state', v.picklist(STATE_NAMES)),
  text: about('the state in words, with the user, lock or exit code', text),
  by: about(
    'name of the user who stopped, rejected, revoked or withdrew the session, or whose session has the lock; null otherwise',
    v.nullable(text),
  ),
  lock: about('name of the lock for which the session waits; null otherwise', v.nullable(text)),
  since: about('since when another session has the lock; null otherwise', time),
  agent: about('name of the agent for which the session waits; null otherwise', v.nullable(text)),
  until: about('when the gateway ends the session if the agent has not connected; null otherwise', time),
})

/** Outcomes summarize the states. Lists are filtered and runs are counted by outcome. */
export const OUTCOMES = [
  'waiting',
  'approved',
  'running',
  'succeeded',
  'failed',
  'stopped',
  'rejected',
] as const
export type Outcome = (typeof OUTCOMES)[number]

/**
 * Outcome of each state. A `stopped` session needs no investigation: a person or a deadline stopped it.
 * States that are not listed are `failed`.
 */
const OUTCOME_OF: Readonly<Partial<Record<StateName, Outcome>>> = {
  'waiting-for-approval': 'waiting',
  approved: 'approved',
  'waiting-for-lock': 'running',
  'waiting-for-agent': 'running',
  running: 'running',
  succeeded: 'succeeded',
  stopped: 'stopped',
  closed: 'stopped',
  withdrawn: 'stopped',
  expired: 'stopped',
  rejected: 'rejected',
  revoked: 'rejected',
}

export function outcomeOf(state: StateName): Outcome {
  return OUTCOME_OF[state] ?? 'failed'
}

/** States after the end by which lists can be filtered, besides the outcomes. */
export const END_STATES = [
  'closed',
  'timed-out',
  'limit-reached',
  'blocked',
  'refused',
  'revoked',
  'withdrawn',
  'expired',
  'lock-busy',
  'agent-offline',
  'agent-silent',
  'agent-lost',
  'agent-stopped',
  'gateway-stopped',
  'gateway-lost',
] as const satisfies readonly StateName[]
export type EndState = (typeof END_STATES)[number]

/** What a list of sessions can be sorted by. */
export const SESSION_ORDERS = ['started', 'took', 'runbook', 'connection', 'user'] as const
export type SessionOrder = (typeof SESSION_ORDERS)[number]

/** Lists of sessions have sessions of kind `list` only if the caller asks for this kind. */
export const SESSION_KINDS = ['runbook', 'script', 'terminal', 'list'] as const
export type SessionKind = (typeof SESSION_KINDS)[number]

/** `since` is the time when another session got the lock. */
export type StateAnswer = Frozen<v.InferOutput<typeof StateShape>>
