import type { FastifyInstance } from 'fastify'
import { groupsOf, outputDifferences } from '../../batches/comparison.ts'
import type { BatchState } from '../../batches/batch.ts'
import type { GatewayUser } from '../../identity.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { batchBody, batchStopBody, readExecBody } from '../body/body.ts'
import { HttpError } from '../http/http-error.ts'
import type { RestServices } from '../services.ts'
import { batchView, differencesView, listedBatch } from './batch-view.ts'
import { prepareBatch } from './prepare-batch.ts'

interface ById {
  readonly Params: { readonly id: string }
}

/** Reading batches, and running what was approved. */
export function batchRoutes(app: FastifyInstance, services: RestServices): void {
  const { batches, history } = services

  app.get('/api/batches', ({ user }) => batches.list(user).map((state) => listedBatch(services, state)))

  app.get<ById>('/api/batches/:id', ({ user, params }) =>
    batchView(services, found(services, user, params.id)),
  )

  app.get<ById>('/api/batches/:id/diff', ({ user, params }) => {
    const state = found(services, user, params.id)
    checkOutput(services, user, state)
    return differencesView(state, outputDifferences(history, groupsOf(state.runs)))
  })

  app.post<ById>(
    '/api/batches/:id/exec',
    ({ user, token: askedWith, callerAddress: clientIp, params }, reply) =>
      reply.code(202).send(batchView(services, batches.exec(params.id, user, { askedWith, clientIp }))),
  )
}

/** Asking for a batch, and stopping it. */
export function batchStartRoutes(app: FastifyInstance, services: RestServices): void {
  app.post('/api/batches', async (request, reply) => {
    const { user, body } = request
    const asked = await prepareBatch(services, request, readExecBody(batchBody, body))
    return reply.code(201).send(batchView(services, await services.batches.create(asked, user)))
  })

  app.post<ById>('/api/batches/:id/stop', ({ user, params, body }) => {
    const kill = readExecBody(batchStopBody, body)?.kill ?? false
    return batchView(services, services.batches.stop(params.id, user, kill))
  })
}

/** @throws HttpError 404 */
function found({ batches }: RestServices, user: GatewayUser, id: string): BatchState {
  const state = batches.find(id, user)
  if (state === undefined) throw new HttpError('batch-not-found', 'batch not found')
  return state
}

/** Reviewers see what runs, and no output. @throws HttpError 403 */
function checkOutput({ users }: RestServices, user: GatewayUser, { batch }: BatchState): void {
  if (!users.owns(user, { user: batch.owner }) && !users.isAuditor(user))
    throw new HttpError('not-permitted', hoopWords.notToStream)
}
