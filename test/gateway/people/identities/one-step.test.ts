import path from 'node:path'
import Database from 'libsql'
import { expect, it } from 'vitest'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'

// What a request changes is changed in one step: where one of its writes fails, as where a kill comes in between, all is
// as before.

/** @param trigger makes a write fail */
function gatewayThatRefuses(trigger: string): Promise<RunningGateway> {
  return RunningGateway.start(
    {},
    {
      prepare: (state) => {
        const file = path.join(state, 'history.sqlite')
        openHistory(file).close()
        const db = new Database(file)
        db.exec(`CREATE TRIGGER refused ${trigger} BEGIN SELECT RAISE(ABORT, 'as the test wants it'); END`)
        db.close()
      },
    },
  )
}

it('an API key is there with its token, or not at all', async () => {
  await using gateway = await gatewayThatRefuses('BEFORE INSERT ON tokens')
  expect(await gateway.request('POST', '/api/api-keys', { name: 'ci' })).toMatchObject({ status: 500 })
  expect(await gateway.request('GET', '/api/users/ci')).toMatchObject({ status: 404 })
})

it('a service account that is to be inactive is never active', async () => {
  await using gateway = await gatewayThatRefuses('BEFORE INSERT ON users WHEN new.deactivated_at IS NOT NULL')
  const asked = { subject: 'ci', status: 'inactive' }
  expect(await gateway.request('POST', '/api/serviceaccounts', asked)).toMatchObject({ status: 500 })
  expect(await gateway.request('GET', '/api/users/ci')).toMatchObject({ status: 404 })
})

it('a group is gone from the list and from its members, or from neither', async () => {
  await using gateway = await gatewayThatRefuses('BEFORE DELETE ON user_groups')
  await gateway.request('POST', '/api/users/groups', { name: 'night' })
  await gateway.request('POST', '/api/users', { email: 'ann', groups: ['night'] })
  expect(await gateway.request('DELETE', '/api/users/groups/night')).toMatchObject({ status: 500 })
  expect((await gateway.request('GET', '/api/users/ann')).body['groups']).toEqual(['night'])
})
