import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ExecutionRequest } from '../executions.ts'
import type { RunbookRepository } from '../runbooks/repository.ts'
import type { ConnectionSettings, UserSettings } from '../settings/settings.ts'
import {
  checkLimits,
  readBody,
  runbookBody,
  runbookV2Body,
  type CommonBody,
  type RunbookBody,
} from './body.ts'
import { HttpError } from './http-error.ts'
import { checkPacketSize } from './packet-size.ts'
import { renderRunbook } from './runbook-request.ts'
import type { RestServices } from './services.ts'

/** The two runbook endpoints of the contract. */
export function runbookRoutes(app: FastifyInstance, services: RestServices): void {
  app.post<{ Params: { name: string } }>(
    '/api/plugins/runbooks/connections/:name/exec',
    async (request, reply) => {
      const { user } = request
      const connection = services.access.connection(user, request.params.name, 404, 'connection not found')
      const body = readBody(runbookBody, request.body)
      return execute(services, reply, { user, connection, repository: connection.runbooks?.repository, body })
    },
  )

  app.post('/api/runbooks/exec', async (request, reply) => {
    const { user } = request
    const body = readBody(runbookV2Body, request.body)
    const connection = services.access.connection(user, body.connection_name, 404, 'connection not found')
    return execute(services, reply, {
      user,
      connection,
      repository: allowedRepository(services, connection, body.repository),
      body,
    })
  })
}

interface RunbookExecution {
  readonly user: UserSettings
  readonly connection: ConnectionSettings
  readonly repository: string | undefined
  readonly body: RunbookBody
}

async function execute(
  services: RestServices,
  reply: FastifyReply,
  execution: RunbookExecution,
): Promise<unknown> {
  const { user, connection, body } = execution
  checkLimits(body)
  checkRunbookAccess(connection, execution.repository, body.file_name)
  checkClientInput(connection, body)
  const repository = repositoryNamed(services, execution.repository)
  const { script, envVars, labels } = await renderRunbook(repository, body)
  const request = executionRequest({ user, connection, body, script, envVars })
  const { status, body: answer } = await services.executions.execute({
    ...request,
    origin: 'client-api-runbooks',
    labels,
  })
  return reply.code(status).send(answer)
}

/** What both kinds of executions take over from their body. */
export function executionRequest(source: {
  readonly user: UserSettings
  readonly connection: ConnectionSettings
  readonly body: CommonBody
  readonly script: Buffer
  readonly envVars: ReadonlyMap<string, string>
}): Omit<ExecutionRequest, 'origin' | 'labels'> {
  const { user, connection, body, script, envVars } = source
  checkPacketSize({ connection, envVars, clientArgs: body.client_args, script })
  return {
    connection,
    user: user.name,
    script,
    envVars,
    clientArgs: body.client_args,
    metadata: body.metadata,
    sessionBatchId: body.session_batch_id ?? undefined,
    correlationId: body.correlation_id ?? undefined,
  }
}

function checkRunbookAccess(
  connection: ConnectionSettings,
  repository: string | undefined,
  file: string,
): void {
  if (repository === undefined) throw new HttpError(422, 'plugin is not enabled for this connection')
  const path = connection.runbooks?.path ?? ''
  if (!file.startsWith(path === '' || path.endsWith('/') ? path : `${path}/`))
    throw new HttpError(404, `runbook file ${file} not found`)
}

/** Where scripts of a caller's own are not allowed, arguments and variables of his own would let them in again. */
function checkClientInput(connection: ConnectionSettings, body: RunbookBody): void {
  if (connection.access.clientInput) return
  if (body.client_args.length === 0 && Object.keys(body.env_vars).length === 0) return
  throw new HttpError(
    403,
    `connection ${connection.name} takes neither client_args nor env_vars (access.client-input)`,
  )
}

/** A connection runs the runbooks of its own repository, named as in gateway.yaml or by hoop's `host/path` key. */
function allowedRepository(services: RestServices, connection: ConnectionSettings, asked: string): string {
  const known = services.repositories.find(({ name, key }) => name === asked || key === asked)
  if (known === undefined) throw new HttpError(400, `runbook repository config ${asked} not found`)
  if (connection.runbooks?.repository !== known.name) {
    throw new HttpError(403, 'user is not allowed to run this runbook on this connection')
  }
  return known.name
}

function repositoryNamed(services: RestServices, name: string | undefined): RunbookRepository {
  const known = services.repositories.find((one) => one.name === name)
  if (known === undefined)
    throw new HttpError(500, 'the runbook repository of this connection is not configured')
  return known.repository
}
