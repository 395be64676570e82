import path from 'node:path'
import { expect, it } from 'vitest'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { otherToken, RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { Workplace } from '../../../support/sites/workplace.ts'

const as = (token: unknown) => ({ authorization: `Bearer ${String(token)}` })

it('a token that an admin makes for somebody is accepted for that user, and its text is told once', async () => {
  await using gateway = await RunningGateway.start()
  const made = await gateway.request('POST', '/api/tokens', { name: 'ci', user: 'other', expires_in: 60 })
  expect(made).toMatchObject({
    status: 201,
    body: {
      name: 'ci',
      user: 'other',
      kind: 'personal',
      status: 'active',
      declared: false,
      created_by: 'admin',
    },
  })
  const { token, ...facts } = made.body
  expect(token).toMatch(/^rba_[\w-]{43}$/)
  const info = await gateway.request('GET', '/api/userinfo', undefined, as(token))
  expect(info).toMatchObject({ status: 200, body: { name: 'other', groups: ['dba'] } })
  const { body } = await gateway.request('GET', '/api/tokens', undefined, as(token))
  expect(body).toMatchObject([
    { id: 'gateway.yaml:other:token', declared: true },
    { id: facts['id'], last_used_at: expect.any(String) as string },
  ])
  expect(JSON.stringify([body, gateway.log])).not.toContain(token)
})

it('the second of two rotations of a token is refused, and both tokens are accepted until the overlap is over', async () => {
  await using gateway = await RunningGateway.start()
  const { body: old } = await gateway.request('POST', '/api/tokens', { name: 'ci' })
  const rotate = (id: unknown, body: object = {}) =>
    gateway.request('POST', `/api/tokens/${String(id)}/rotate`, body)
  const answers = await Promise.all([rotate(old['id']), rotate(old['id'])])
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
  const fresh = answers.find(({ status }) => status === 201)?.body ?? {}
  const asks = async (token: unknown) =>
    (await gateway.request('GET', '/api/userinfo', undefined, as(token))).status
  expect([await asks(old['token']), await asks(fresh['token'])]).toEqual([200, 200])
  const { body: newest } = await rotate(fresh['id'], { overlap: 0 })
  expect([await asks(fresh['token']), await asks(newest['token'])]).toEqual([401, 200])
})

it('a user sees and changes their own tokens alone', async () => {
  await using gateway = await RunningGateway.start()
  const { body: admins } = await gateway.request('POST', '/api/tokens', { name: 'ci' })
  const other = as(otherToken)
  const place = `/api/tokens/${String(admins['id'])}`
  expect(await gateway.request('DELETE', place, undefined, other)).toMatchObject({ status: 404 })
  expect(await gateway.request('POST', `${place}/rotate`, {}, other)).toMatchObject({ status: 404 })
  const forAdmin = { name: 'x', user: 'admin' }
  expect(await gateway.request('POST', '/api/tokens', forAdmin, other)).toMatchObject({ status: 403 })
  const { body } = await gateway.request('GET', '/api/tokens?user=admin', undefined, other)
  expect(body).toEqual([])
  const own = await gateway.request('POST', '/api/tokens', { name: 'mine' }, other)
  const ownPlace = `/api/tokens/${String(own.body['id'])}`
  expect(await gateway.request('DELETE', ownPlace, undefined, other)).toMatchObject({ status: 204 })
  expect(await gateway.request('GET', '/api/userinfo', undefined, as(own.body['token']))).toMatchObject({
    status: 401,
    body: { message: 'access denied: the token was revoked', code: 'unauthenticated' },
  })
})

it('a token of gateway.yaml is listed, and changed there alone', async () => {
  await using gateway = await RunningGateway.start(
    {},
    {
      users: `
  - name: bot
    kind: machine
    tokens:
      - { name: old, token: a-token-of-the-bot-0123, expires: 2020-01-01 }
      - { name: new, token: a-token-of-the-bot-4567, expires: 2100-01-01 }`,
    },
  )
  const bot = as('a-token-of-the-bot-4567')
  expect(await gateway.request('GET', '/api/tokens', undefined, bot)).toMatchObject({
    body: [
      { name: 'old', status: 'expired', expires_at: '2020-01-01T00:00:00.000Z' },
      { name: 'new', status: 'active' },
    ],
  })
  expect(await gateway.request('GET', '/api/tokens', undefined, as('a-token-of-the-bot-0123'))).toMatchObject(
    {
      status: 401,
      body: { message: 'access denied: the token expired at 2020-01-01T00:00:00.000Z' },
    },
  )
  expect(await gateway.request('DELETE', '/api/tokens/gateway.yaml:bot:new', undefined, bot)).toMatchObject({
    status: 422,
    body: {
      code: 'declared-in-settings',
      message: 'token new of bot is set in gateway.yaml: change it there',
    },
  })
  expect(await gateway.request('POST', '/api/tokens', { name: 'more' }, bot)).toMatchObject({ status: 403 })
  expect(await gateway.request('GET', '/api/tokens', undefined, as(userToken))).toMatchObject({ status: 200 })
})

it('a token of a user who was deleted is none of another one who gets the name', async () => {
  await using gateway = await RunningGateway.start()
  const make = () => gateway.request('POST', '/api/users', { email: 'ann' })
  await make()
  const { body } = await gateway.request('POST', '/api/tokens', { name: 'old', user: 'ann' })
  const asked = async () =>
    (await gateway.request('GET', '/api/userinfo', undefined, as(body['token']))).status
  expect(await asked()).toBe(200)
  await gateway.request('DELETE', '/api/users/ann')
  expect(await asked()).toBe(401)
  expect(await make()).toMatchObject({ status: 201 })
  expect(await asked()).toBe(401)
})

it('no token of a user who was deleted, and no use of one, stays on the disk', async () => {
  using place = new Workplace()
  const start = () => RunningGateway.start({}, { state: place.at('state') })
  const use = async (gateway: RunningGateway, user: string, name: string) => {
    const { body } = await gateway.request('POST', '/api/tokens', { name, user })
    await gateway.request('GET', '/api/userinfo', undefined, as(body['token']))
  }
  {
    await using gateway = await start()
    await gateway.request('POST', '/api/users', { email: 'ann' })
    await use(gateway, 'ann', 'written')
    await use(gateway, 'other', 'kept')
  }
  {
    await using gateway = await start()
    await use(gateway, 'ann', 'not-written-yet')
    await gateway.request('DELETE', '/api/users/ann')
  }
  const history = openHistory(path.join(place.at('state'), 'history.sqlite'))
  try {
    const kept = history.read(({ tokens }) => tokens.all())
    expect(kept.map(({ name }) => name)).toEqual(['kept'])
    const used = history.read(({ tokens }) => [...tokens.uses().keys()])
    expect(used.filter((id) => !id.startsWith('gateway.yaml:'))).toEqual([kept[0]?.id])
  } finally {
    history.close()
  }
})
