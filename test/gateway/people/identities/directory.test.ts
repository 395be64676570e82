import { expect, it } from 'vitest'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'

it('an admin cannot leave the admins, only be put out by another one', async () => {
  await using gateway = await RunningGateway.start()
  await gateway.request('POST', '/api/users', { email: 'ann', groups: ['admin', 'dba'] })
  await gateway.request('POST', '/api/users', { email: 'bob', groups: ['dba'] })
  const { body: issued } = await gateway.request('POST', '/api/tokens', { name: 'x', user: 'ann' })
  const asAnn = { authorization: `Bearer ${String(issued['token'])}` }
  const groupsOf = async (name: string, groups: string[], headers?: { authorization: string }) => {
    const { body } = await gateway.request('PUT', `/api/users/${name}`, { groups }, headers)
    return body['groups']
  }
  expect(await groupsOf('ann', ['lead'], asAnn)).toEqual(['admin', 'lead'])
  expect(await groupsOf('bob', ['lead'], asAnn)).toEqual(['lead'])
  expect(await groupsOf('ann', ['lead'])).toEqual(['lead'])
})
