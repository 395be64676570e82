import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { RenderShape, RepositoryRunShape, RunbookRunShape } from '../../../contract/executions.ts'
import { readExecBody } from '../body/body.ts'
import { answerExecution } from '../reviews/answer-execution.ts'
import { HttpError } from '../http/http-error.ts'
import { allowedRepository } from '../../executions/runbook-access.ts'
import {
  prepareRunbook,
  runbookExecution,
  type RunbookExecution,
} from '../../executions/runbook-execution.ts'
import type { RestServices } from '../services.ts'

/** The two runbook endpoints of the contract, and one of ours that shows what they would send. */
export function runbookRoutes(app: FastifyInstance, services: RestServices): void {
  app.post<{ Params: { name: string } }>(
    '/api/plugins/runbooks/connections/:name/exec',
    async (request, reply) => {
      const { user } = request
      const connection = services.users.visibleConnection(user, request.params.name)
      const body = readExecBody(RunbookRunShape, request.body)
      const repository = connection.runbooks?.repository
      return execute(services, request, reply, { user, connection, repository, body })
    },
  )

  app.post('/api/runbooks/exec', async (request, reply) => {
    const { user } = request
    const body = readExecBody(RepositoryRunShape, request.body)
    const connection = services.users.visibleConnection(user, body.connection_name)
    return execute(services, request, reply, {
      user,
      connection,
      repository: allowedRepository(services, connection, body.repository),
      body,
    })
  })

  app.post('/api/runbooks/render', (request) => {
    const { user } = request
    const body = readExecBody(RenderShape, request.body)
    const connection = services.users.visibleConnection(user, body.connection_name)
    const { repository: asked } = body
    const own = connection.runbooks?.repository
    const repository = asked ? allowedRepository(services, connection, asked) : own
    return render(services, { user, connection, repository, body })
  })
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

/** What an execution would send, and nothing else: no session, no record. */
async function render(services: RestServices, execution: RunbookExecution): Promise<object> {
  const { connection, body } = execution
  // An execution would be recorded as refused. Here there is nothing to record, so it is refused with a status.
  if (!connection.access.runbooks) throw new HttpError('not-permitted', hoopWords.disabled('runbooks'))
  const { request, repository, commit, secretParameters, warning } = await prepareRunbook(services, execution)
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
