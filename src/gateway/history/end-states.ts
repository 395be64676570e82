import { outcomeOf, type Outcome, type StateName } from '../../contract/session-state.ts'

/**
 * The state for each cause of an end. The keys are codes of docs/endings-and-codes.md and reasons of the
 * agent. For all other causes, the exit code decides.
 */
export const STATES_OF_CAUSES: Readonly<Record<string, StateName>> = {
  'session-killed': 'stopped',
  'client-left': 'closed',
  'client-not-reading': 'closed',
  'token-ended': 'closed',
  'session-expired': 'timed-out',
  'access-ended': 'timed-out',
  timeout: 'timed-out',
  'output-limit': 'limit-reached',
  'input-limit': 'limit-reached',
  guardrails: 'blocked',
  policy: 'refused',
  refused: 'refused',
  'started-before': 'refused',
  'not-permitted': 'refused',
  'client-input-refused': 'refused',
  rejected: 'rejected',
  revoked: 'revoked',
  withdrawn: 'withdrawn',
  expired: 'expired',
  'lock-busy': 'lock-busy',
  'agent-offline': 'agent-offline',
  'agent-silent': 'agent-silent',
  'agent-lost': 'agent-lost',
  'gateway-lost': 'gateway-lost',
  'agent-stopping': 'agent-stopped',
  'gateway-stopped': 'gateway-stopped',
  'gateway-draining': 'gateway-stopped',
}

/** Returns the codes of the column `end_code` that mean this state. */
export function codesOf(state: StateName): string[] {
  return Object.keys(STATES_OF_CAUSES).filter((code) => STATES_OF_CAUSES[code] === state)
}

/** Whether a person or a deadline stopped the session: such an end is no failure. */
export function isStop(code: string | undefined): boolean {
  const state = code !== undefined && Object.hasOwn(STATES_OF_CAUSES, code) && STATES_OF_CAUSES[code]
  return typeof state === 'string' && outcomeOf(state) === 'stopped'
}

/** `open`: the session's review decides the outcome. */
type RecordedOutcome = 'open' | Outcome

export const RECORDED_OUTCOMES: readonly RecordedOutcome[] = [
  'failed',
  'stopped',
  'rejected',
  'open',
  'succeeded',
]

/** SQL that finds the same outcome as `stateOf`. */
export const OUTCOME_OF_ENDED = `CASE
  WHEN guardrails_info IS NOT NULL AND json_extract(request, '$.isPort') IS NOT 1 THEN 'failed'
  WHEN json_extract(cause, '$.code') = 'access-ended' AND json_extract(cause, '$.by') IS NOT NULL THEN 'rejected'
  ${(['stopped', 'rejected', 'failed'] as const).map(whenCause).join('\n  ')}
  WHEN exit_code = 0 THEN 'succeeded'
  ELSE 'failed' END`

function whenCause(outcome: Outcome): string {
  const codes = Object.entries(STATES_OF_CAUSES).filter(([, state]) => outcomeOf(state) === outcome)
  return `WHEN json_extract(cause, '$.code') IN (${codes.map(([code]) => `'${code}'`).join()}) THEN '${outcome}'`
}
