import type { RetryGroup } from '../../contract/batch-requests.ts'
import type { StateName } from '../../contract/session-state.ts'
import { parsedJson } from '../../basics/text/json.ts'
import type { SessionSummary } from '../history/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { isOver, type Batch, type BatchRun } from './batch.ts'

/** The session of a run, as far as it tells whether the command may have had an effect. */
export interface RunTrace extends Pick<SessionSummary, 'beganAt' | 'cause' | 'guardrails'> {
  readonly state: StateName
}

/** @param session undefined if the session is not, or no longer, in the history */
export function traceOf(
  { sessions }: { readonly sessions: Sessions },
  session: SessionSummary | undefined,
): RunTrace | undefined {
  return session && { ...session, state: sessions.stateOf(session).name }
}

/** `if-begun`: the end came from outside, so it depends on whether the agent had the script. */
type Rule = RetryGroup | 'if-begun' | ((trace: RunTrace) => RetryGroup)

const RULES: Readonly<Record<StateName, Rule>> = {
  failed: 'failed',
  blocked: ({ guardrails }) => (isAboutInput(guardrails) ? 'never-began' : 'may-have-run'),
  // The agent refuses a session before it starts the command, except for one that it has started before.
  refused: ({ cause }) => (cause?.code === 'started-before' ? 'may-have-run' : 'never-began'),
  rejected: 'never-began',
  revoked: 'never-began',
  withdrawn: 'never-began',
  expired: 'never-began',
  'lock-busy': 'never-began',
  'agent-offline': 'never-began',
  stopped: 'if-begun',
  closed: 'if-begun',
  'timed-out': 'if-begun',
  'limit-reached': 'if-begun',
  'agent-stopped': 'if-begun',
  'gateway-stopped': 'if-begun',
  'agent-silent': 'may-have-run',
  'agent-lost': 'may-have-run',
  // The beginning may be lost with the gateway, so it says nothing here.
  'gateway-lost': 'may-have-run',
  // The run has failed, but the session says otherwise: its end is not recorded.
  'waiting-for-approval': 'may-have-run',
  approved: 'may-have-run',
  'waiting-for-lock': 'may-have-run',
  'waiting-for-agent': 'may-have-run',
  running: 'may-have-run',
  succeeded: 'may-have-run',
}

/** Batches of older versions do not tell which values their requests had. */
export function mayRetry(batch: Batch): boolean {
  return isOver(batch) && batch.brought !== undefined
}

/**
 * Returns the group of a run of an ended batch. A run counts as never begun only if it is certain that no agent
 * got its script. Returns undefined for a run that needs no retry.
 * @param trace undefined if the session is not, or no longer, in the history
 */
export function retryGroup(run: BatchRun, trace: RunTrace | undefined): RetryGroup | undefined {
  const { status, session, exitCode } = run
  if (status === 'succeeded' || status === 'running') return undefined
  if (status === 'not-begun' || session === undefined) return 'never-began'
  if (trace === undefined) return 'may-have-run'
  const rule = RULES[trace.state]
  if (typeof rule === 'function') return rule(trace)
  if (rule === 'if-begun') return trace.beganAt === undefined ? 'never-began' : 'may-have-run'
  return rule === 'failed' && exitCode === undefined ? 'may-have-run' : rule
}

/** Rules about the input are checked before the command starts. */
function isAboutInput(guardrails: string | undefined): boolean {
  const rules: unknown = guardrails === undefined ? undefined : parsedJson(guardrails)
  return (
    Array.isArray(rules) &&
    rules.length > 0 &&
    rules.every((rule: unknown) => (rule as { readonly direction?: unknown } | null)?.direction === 'input')
  )
}
