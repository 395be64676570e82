import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { otherToken, RunningGateway } from '../../../support/sites/running-gateway.ts'

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { prepare: fill })
})
afterAll(() => gateway[Symbol.asyncDispose]())

function fill(state: string): void {
  const history = openHistory(path.join(state, 'history.sqlite'))
  for (const user of ['admin', 'other']) {
    const request = { id: user, user, connection: 'bash', connectionType: 'custom', startedAt: new Date() }
    const rest = { verb: 'exec', labels: {}, metadata: { ticket: 'A-1' }, script: Buffer.from('x') }
    history.begin({ ...request, ...rest, origin: 'client-api' })
    history.finish(user, { exitCode: 0, truncatedBytes: 0, endedAt: new Date() })
  }
  history.close()
}

const asOther = { authorization: `Bearer ${otherToken}` }
const patch = (id: string, body: unknown, headers: Record<string, string> = {}) =>
  gateway.request('PATCH', `/api/sessions/${id}/metadata`, body, headers)
const metadata = async (id: string) => (await gateway.request('GET', `/api/sessions/${id}`)).body['metadata']
const missing = { status: 404, body: { message: 'not found', code: 'session-not-found' } }

describe('PATCH /api/sessions/{id}/metadata', () => {
  it('replaces all of it, with any JSON', async () => {
    expect(await patch('admin', { metadata: { n: [1, { deep: null }], text: 'ü' } })).toEqual({
      status: 204,
      body: {},
    })
    expect(await metadata('admin')).toEqual({ n: [1, { deep: null }], text: 'ü' })
    expect((await patch('admin', { metadata: {} })).status).toBe(204)
    expect(await metadata('admin')).toBeNull()
  })

  it('is for the owner alone, not even for admins', async () => {
    expect(await patch('other', { metadata: {} })).toEqual(missing)
    expect(await patch('admin', { metadata: {} }, asOther)).toEqual(missing)
    expect(await patch('nope', { metadata: {} })).toEqual(missing)
    expect(await metadata('other')).toEqual({ ticket: 'A-1' })
    expect((await patch('other', { metadata: { by: 'other' } }, asOther)).status).toBe(204)
    expect(await metadata('other')).toEqual({ by: 'other' })
  })

  it.each<[string, unknown, number, string]>([
    ['an empty body', undefined, 404, 'not found'],
    ['a list', { metadata: [] }, 400, 'metadata: must be an object, not a list'],
    ['no metadata', {}, 400, 'metadata: is required'],
    ['broken JSON', '{', 400, 'request body: is not valid JSON'],
    [
      'too many fields',
      { metadata: Object.fromEntries([...Array(21).keys()].map((i) => [`k${i}`, i])) },
      422,
      'metadata field must have less than 10 fields',
    ],
    [
      'a value that is too long',
      { metadata: { k: 'x'.repeat(2500) } },
      422,
      'metadata key or value must not contain more than 2500 characteres',
    ],
  ])('refuses %s', async (_, body, status, message) => {
    const answer = await patch('admin', body)
    expect([answer.status, answer.body['message']]).toEqual([status, message])
  })
})
