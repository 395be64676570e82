import type { RunBody, RunbookBody } from '../../contract/executions.ts'
import type { GatewayUser } from '../identity.ts'
import { RequestRefused } from '../refusals/request-refused.ts'
import type { ScriptExecution } from '../sessions/executions.ts'
import { fitsPackets, type SessionRequest } from '../sessions/session-request.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import { checkLimits } from './limits.ts'
import {
  checkClientInput,
  checkRunbookAccess,
  repositoryNamed,
  type RunbookServices,
} from './runbook-access.ts'
import { renderRunbook } from './runbook-request.ts'

export interface RunbookExecution {
  readonly user: GatewayUser
  readonly connection: ConnectionSettings
  readonly repository: string | undefined
  readonly body: RunbookBody
}

/** @throws RequestRefused */
export async function runbookExecution(
  services: RunbookServices,
  execution: RunbookExecution,
): Promise<ScriptExecution> {
  const { request, labels, repository } = await prepareRunbook(services, execution)
  const ofRepository = { ...labels, runbookRepository: repository.key }
  return { ...request, origin: 'client-api-runbooks', labels: ofRepository }
}

/** Makes all checks before it reads and renders the file. @throws RequestRefused */
export async function prepareRunbook(
  services: RunbookServices,
  { user, connection, body, ...execution }: RunbookExecution,
) {
  checkLimits(body)
  checkRunbookAccess(connection, execution.repository, body.file_name)
  checkClientInput(connection, body)
  const repository = repositoryNamed(services, execution.repository)
  const source = { repository: repository.repository, folder: connection.runbooks?.path ?? '' }
  const { script, envVars, secretValues, origin, ...rendered } = await renderRunbook(source, body)
  const request = executionRequest({ user, connection, body, script, envVars })
  return { request: { ...request, secretValues, rendered: origin }, repository, ...rendered }
}

/** Makes the parts of a request that are the same for scripts and runbooks. */
export function executionRequest(source: {
  readonly user: GatewayUser
  readonly connection: ConnectionSettings
  readonly body: RunBody
  readonly script: Buffer
  readonly envVars: ReadonlyMap<string, string>
}): Omit<ScriptExecution, 'origin' | 'labels'> {
  const { user, connection, body, script, envVars } = source
  checkPacketSize({ connection, envVars, clientArgs: body.client_args, script })
  return {
    connection,
    user: user.name,
    script,
    envVars,
    clientArgs: body.client_args,
    bringsInput: body.client_args.length > 0 || Object.keys(body.env_vars).length > 0,
    metadata: body.metadata,
    jiraFields: body.jira_fields,
    sessionBatchId: body.session_batch_id ?? undefined,
    correlationId: body.correlation_id ?? undefined,
    whenApproved: body.when_approved,
    reason: body.reason,
  }
}

/** @throws RequestRefused 422 */
export function checkPacketSize(
  request: Pick<SessionRequest, 'connection' | 'envVars' | 'clientArgs' | 'script'>,
): void {
  if (fitsPackets(request)) return
  throw new RequestRefused(
    'too-large',
    'script, env_vars or client_args are too large: one packet to the agent may have at most 17 MiB',
  )
}
