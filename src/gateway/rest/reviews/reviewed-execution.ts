import { reviewRule } from '../../reviews/rules.ts'
import { warned, type ExecResponse, type ScriptExecution } from '../../sessions/executions.ts'
import type { UserSettings } from '../../settings/settings.ts'
import type { RestServices } from '../services.ts'

interface AskedExecution {
  readonly user: UserSettings
  readonly execution: ScriptExecution
  /** Of a runbook. */
  readonly file: string | undefined
}

/**
 * Runs it, or asks those who have to approve it: then the answer says where, and nothing has reached the agent.
 * @param waitMs as of `Executions.execute`
 * @throws as that and `Reviews.ask`
 */
export async function executeOrAsk(
  services: Pick<RestServices, 'executions' | 'reviews' | 'webUrl'>,
  { user, execution, file }: AskedExecution,
  waitMs?: number,
): Promise<{ readonly status: 200 | 202; readonly body: ExecResponse }> {
  const startedAt = performance.now()
  const request = { ...execution, verb: 'exec' } as const
  const rule = reviewRule(request, user.groups, file)
  if (rule === undefined) return services.executions.execute(execution, waitMs)
  const { sessionId } = services.reviews.ask(request, rule)
  const body: ExecResponse = {
    has_review: true,
    session_id: sessionId,
    output: `${services.webUrl()}/sessions/${sessionId}`,
    output_status: 'success',
    truncated: false,
    execution_time: Math.round(performance.now() - startedAt),
    exit_code: 0,
    ai_analysis: null,
  }
  return { status: 200, body: warned(execution, body) }
}
