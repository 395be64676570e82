import { OutputStopped } from '../../../policy/output-filter.ts'
import { blockedOutput } from '../../policy/guardrails.ts'
import type { ConnectionRules, Refusal } from './session-rules.ts'

/** Returns the message for the client when a result must not reach it. @throws every other error */
export function stoppedBy(error: unknown, rules: ConnectionRules): Refusal {
  if (!(error instanceof OutputStopped)) throw error
  const blocked = blockedOutput(error)
  return blocked === undefined ? rules.unjudged(error.message) : rules.blocked(blocked)
}
