import type { RunBody, RunbookBody } from '../../contract/executions.ts'
import type { GatewayUser } from '../identity.ts'
import { refused } from '../refusals/request-refused.ts'
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
import { renderRunbook, type RunbookSource } from './runbook-request.ts'

export interface RunbookExecution {
  readonly user: GatewayUser
  readonly connection: ConnectionSettings
  readonly repository: string | undefined
  readonly body: RunbookBody
}

export interface ReadRunbook {
  readonly execution: ScriptExecution
  /** Path of the runbook that has to run before this one. Only `Pairs` may run the execution then. */
  readonly first: string | undefined
  readonly commit: string
  /** All parameters that are not empty, with defaults. */
  readonly effective: ReadonlyMap<string, string>
}

/** Reads a runbook that may belong to a pair. @throws RequestRefused */
export async function readRunbook(services: RunbookServices, asked: RunbookExecution): Promise<ReadRunbook> {
  const { user, connection, body } = asked
  const { source, key } = runbookSource(services, asked)
  const rendered = await renderRunbook(source, body)
  const { script, envVars, secretValues, origin, choices, labels, first, commit, effective } = rendered
  const execution: ScriptExecution = {
    ...executionRequest({ user, connection, body, script, envVars }),
    secretValues,
    rendered: origin,
    choices,
    origin: 'client-api-runbooks',
    labels: { ...labels, runbookRepository: key },
  }
  return { execution, first, commit, effective }
}

/** Makes all checks that need no file, and says where the file is. @throws RequestRefused */
export function runbookSource(
  services: RunbookServices,
  { connection, body, repository: name }: Omit<RunbookExecution, 'user'>,
): { readonly source: RunbookSource; readonly key: string } {
  checkLimits(body)
  checkRunbookAccess(connection, name, body.file_name)
  checkClientInput(connection, body)
  const { repository, key } = repositoryNamed(services, name)
  return { source: { repository, folder: connection.runbooks?.path ?? '' }, key }
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
  throw refused('too-large/script')
}
