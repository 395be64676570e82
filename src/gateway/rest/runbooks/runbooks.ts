import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { ScriptExecution } from '../../sessions/executions.ts'
import type { GatewayUser } from '../../identity.ts'
import type { ConnectionSettings } from '../../settings/settings.ts'
import {
  checkLimits,
  readExecBody,
  renderBody,
  runbookBody,
  runbookV2Body,
  type CommonBody,
  type RunbookBody,
} from '../body/body.ts'
import { visibleConnection } from '../access.ts'
import { answerExecution } from '../reviews/answer-execution.ts'
import { HttpError } from '../http/http-error.ts'
import { allowedRepository, checkClientInput, checkRunbookAccess, repositoryNamed } from './runbook-access.ts'
import { renderRunbook } from './runbook-request.ts'
import type { RestServices } from '../services.ts'
import { fitsPackets, type SessionRequest } from '../../sessions/session-request.ts'

/** The two runbook endpoints of the contract, and one of ours that shows what they would send. */
export function runbookRoutes(app: FastifyInstance, services: RestServices): void {
  app.post<{ Params: { name: string } }>(
    '/api/plugins/runbooks/connections/:name/exec',
    async (request, reply) => {
      const { user } = request
      const connection = visibleConnection(services.users, user, request.params.name)
      const body = readExecBody(runbookBody, request.body)
      const repository = connection.runbooks?.repository
      return execute(services, request, reply, { user, connection, repository, body })
    },
  )

  app.post('/api/runbooks/exec', async (request, reply) => {
    const { user } = request
    const body = readExecBody(runbookV2Body, request.body)
    const connection = visibleConnection(services.users, user, body.connection_name)
    return execute(services, request, reply, {
      user,
      connection,
      repository: allowedRepository(services, connection, body.repository),
      body,
    })
  })

  app.post('/api/runbooks/render', (request) => {
    const { user } = request
    const body = readExecBody(renderBody, request.body)
    const connection = visibleConnection(services.users, user, body.connection_name)
    const { repository: asked } = body
    const own = connection.runbooks?.repository
    const repository = asked ? allowedRepository(services, connection, asked) : own
    return render(services, { user, connection, repository, body })
  })
}

export interface RunbookExecution {
  readonly user: GatewayUser
  readonly connection: ConnectionSettings
  readonly repository: string | undefined
  readonly body: RunbookBody
}

async function execute(
  services: RestServices,
  asked: FastifyRequest,
  reply: FastifyReply,
  execution: RunbookExecution,
): Promise<FastifyReply> {
  const runbook = await runbookExecution(services, execution)
  return answerExecution(services, runbook, asked, reply, execution.body.file_name)
}

/** Makes all checks, reads the file and fills in its parameters. @throws HttpError */
export async function runbookExecution(
  services: RunbookServices,
  execution: RunbookExecution,
): Promise<ScriptExecution> {
  const { request, labels, repository } = await prepare(services, execution)
  const ofRepository = { ...labels, runbookRepository: repository.key }
  return { ...request, origin: 'client-api-runbooks', labels: ofRepository }
}

type RunbookServices = Pick<RestServices, 'repositories'>

/** What an execution would send, and nothing else: no session, no record. */
async function render(services: RestServices, execution: RunbookExecution): Promise<object> {
  const { connection, body } = execution
  // An execution would be recorded as refused. Here there is nothing to record, so it is refused with a status.
  if (!connection.access.runbooks) throw new HttpError('not-permitted', hoopWords.disabled('runbooks'))
  const { request, repository, commit, secretParameters, warning } = await prepare(services, execution)
  return {
    repository: repository.key,
    commit,
    connection: connection.name,
    script: request.script.toString('utf8'),
    env_vars: [...request.envVars.keys()].sort(),
    client_args: body.client_args,
    secret_parameters: [...secretParameters],
    ...(warning !== undefined && { warning }),
  }
}

/** Makes all checks, then reads the file and fills in its parameters. @throws HttpError */
async function prepare(
  services: RunbookServices,
  { user, connection, body, ...execution }: RunbookExecution,
) {
  checkLimits(body)
  checkRunbookAccess(connection, execution.repository, body.file_name)
  checkClientInput(connection, body)
  const repository = repositoryNamed(services, execution.repository)
  const source = { repository: repository.repository, folder: connection.runbooks?.path ?? '' }
  const { script, envVars, secretValues, ...rendered } = await renderRunbook(source, body)
  const request = executionRequest({ user, connection, body, script, envVars })
  return { request: { ...request, secretValues }, repository, ...rendered }
}

/** What both kinds of executions take from their body. */
export function executionRequest(source: {
  readonly user: GatewayUser
  readonly connection: ConnectionSettings
  readonly body: CommonBody
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
  }
}

/** @throws HttpError 422 */
export function checkPacketSize(
  request: Pick<SessionRequest, 'connection' | 'envVars' | 'clientArgs' | 'script'>,
): void {
  if (fitsPackets(request)) return
  throw new HttpError(
    'too-large',
    'script, env_vars or client_args are too large: what goes to the agent in one packet may have 17 MiB',
  )
}
