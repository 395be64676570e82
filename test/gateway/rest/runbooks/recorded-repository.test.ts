import path from 'node:path'
import { expect, it } from 'vitest'
import type { History } from '../../../../src/gateway/history/history.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'

/** A run as it was recorded when addresses and labels had the path of a repository's folder. */
function recorded(state: string, repository: string): void {
  const history = openHistory(path.join(state, 'history.sqlite'))
  const labels = { runbookRepository: repository, runbookFile: 'ops/a.runbook.sh', runbookParameters: '{}' }
  const about = { origin: 'client-api-runbooks', verb: 'exec', connection: 'bash', connectionType: 'custom' }
  history.begin({
    ...{ ...about, id: repository, user: 'admin', labels, metadata: {}, script: Buffer.alloc(0) },
    startedAt: new Date(),
  } as Parameters<History['begin']>[0])
  history.finish(repository, { exitCode: 0, truncatedBytes: 0, endedAt: new Date() })
  history.close()
}

it('a session that was recorded under the path of a repository names the repository as the list of runbooks does', async () => {
  const prepare = (state: string) => {
    recorded(state, path.join(path.dirname(state), 'rb'))
    recorded(state, '/somewhere/else')
  }
  await using gateway = await RunningGateway.start({ 'ops/a.runbook.sh': 'true' }, { prepare })
  const runbooks = await gateway.request('GET', '/api/runbooks')
  expect(runbooks.body).toMatchObject({ repositories: [{ repository: 'rb' }] })
  const { body } = await gateway.request('GET', '/api/sessions')
  const labels = (body['data'] as { labels: object }[]).map((one) => one.labels)
  expect(labels).toMatchObject([{ runbookRepository: '/somewhere/else' }, { runbookRepository: 'rb' }])
})
