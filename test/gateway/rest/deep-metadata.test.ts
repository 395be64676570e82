import { expect, it } from 'vitest'
import { RunningGateway } from '../../support/sites/running-gateway.ts'

const nested = (depth: number) => `{"a":${'['.repeat(depth)}1${']'.repeat(depth)}}`

it('metadata that SQLite takes for no JSON keeps nobody from lists, and no end from being told', async () => {
  const webhooks = `webhooks: [{ name: hook, url: 'http://127.0.0.1:1', template: slack, events: [session.failed] }]`
  await using gateway = await RunningGateway.start({}, { limits: '{ agent-wait: 0s }', more: webhooks })
  const begun = (depth: number) =>
    gateway.request(
      'POST',
      '/api/sessions',
      `{"connection":"bash","script":"x","labels":{"b":"${'x'.repeat(70_000)}"},"metadata":${nested(depth)}}`,
    )
  const deep = await begun(1100)
  const { body } = await begun(98)
  const place = `/api/sessions/${String(body['session_id'])}`
  expect((await gateway.request('GET', place)).body['status']).toBe('done')
  const changed = await gateway.request('PATCH', `${place}/metadata`, `{"metadata":${nested(1100)}}`)
  expect((await gateway.request('GET', '/api/sessions')).body['data']).toHaveLength(1)
  expect((await gateway.request('GET', '/api/webhooks')).body).toMatchObject([{ waiting: 1 }])
  expect([deep.status, changed.status]).toEqual([422, 422])
})
