import type { batchContract } from '../../contract/batches.ts'
import type { Handlers } from '../handlers.ts'
import type { GatewayUser } from '../identity.ts'
import { refused } from '../refusals/request-refused.ts'
import type { BatchState } from './batch.ts'
import { batchView, differencesView, listedBatch } from './batch-view.ts'
import { groupsOf, outputDifferences } from './comparison.ts'
import { prepareBatch } from './prepare-batch.ts'
import { prepareRetry, type RetryServices } from './retry.ts'

export function batchRoutes(services: RetryServices): Handlers<typeof batchContract> {
  const { batches, history, longWork, users } = services

  const found = (user: GatewayUser, id: string): BatchState => {
    const state = batches.find(id, user)
    if (state === undefined) throw refused('batch-not-found')
    return state
  }
  /** Reviewers see the runs, but not their output. */
  const withOutput = (user: GatewayUser, id: string): BatchState => {
    const state = found(user, id)
    const { owner } = state.batch
    if (!state.runs.every(({ connection }) => users.reads(user, { user: owner, connection })))
      throw refused('not-permitted/stream')
    return state
  }

  return {
    list: ({ user }) => batches.list(user).map((state) => listedBatch(services, state)),
    show: ({ user, params }) => batchView(services, found(user, params.id)),
    differences: async ({ user, params }) => {
      const state = withOutput(user, params.id)
      const turn: Parameters<typeof outputDifferences>[2] = (work) => longWork.run(user.name, work)
      return differencesView(services, state, await outputDifferences(history, groupsOf(state.runs), turn))
    },
    exec: async ({ user, token: askedWith, caller: clientIp, params }) =>
      batchView(services, await batches.exec(params.id, user, { askedWith, clientIp })),
    create: async (asked) => {
      const batch = await prepareBatch(services, asked, asked.body)
      return batchView(services, await batches.create(batch, asked.user))
    },
    retry: async ({ user, token, caller, params, body }) => {
      const prepare = (origin: BatchState) => prepareRetry(services, { user, token, caller }, origin, body)
      return batchView(services, await batches.retry(params.id, user, prepare))
    },
    stop: ({ user, params, body }) => batchView(services, batches.stop(params.id, user, body?.kill ?? false)),
  }
}
