import { OutputStopped } from '../../../policy/output-filter.ts'
import { blockedOutput } from '../../policy/guardrails.ts'
import type { ConnectionRules, Refusal } from './session-rules.ts'

/** A connection has ended because of what its server sent, and its client was told why. */
export class ConnectionStopped extends Error {
  override readonly name = 'ConnectionStopped'
}

/** What the client is told when a result must not reach it. @throws every other error */
export function stoppedBy(error: unknown, rules: ConnectionRules): Refusal {
  if (!(error instanceof OutputStopped)) throw error
  const blocked = blockedOutput(error)
  return blocked === undefined ? rules.unjudged(error.message) : rules.blocked(blocked)
}
