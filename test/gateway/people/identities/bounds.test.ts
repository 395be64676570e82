import { afterAll, beforeAll, expect, it } from 'vitest'
import { otherToken, RunningGateway } from '../../../support/sites/running-gateway.ts'
import { Browsing } from '../../rest/page/browsing.ts'

// How many tokens and browsers one user has, and how long a token lives that replaces another one.

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start()
})
afterAll(() => gateway[Symbol.asyncDispose]())

const create = (name: string, more: object = {}) =>
  gateway.request('POST', '/api/tokens', { name, user: 'other', ...more })
const rotate = (id: unknown, body: object = {}) =>
  gateway.request('POST', `/api/tokens/${String(id)}/rotate`, body)
const revoke = (id: unknown) => gateway.request('DELETE', `/api/tokens/${String(id)}`)
const lifetimeOf = ({ body }: { body: Record<string, unknown> }) =>
  Date.parse(String(body['expires_at'])) - Date.parse(String(body['created_at']))

it('a rotated token lives as long as the old one was meant to, or as its rotation says', async () => {
  const { body: brief } = await create('brief', { expires_in: 3600 })
  const next = await rotate(brief['id'])
  expect(next.body).toMatchObject({ name: 'brief', user: 'other', kind: 'personal' })
  expect(lifetimeOf(next)).toBe(3_600_000)
  const last = await rotate(next.body['id'], { expires_in: 60, overlap: 0 })
  expect(lifetimeOf(last)).toBe(60_000)
  const { body: forEver } = await create('for-ever')
  expect((await rotate(forEver['id'], { overlap: 0 })).body['expires_at']).toBeNull()
  expect((await rotate(forEver['id'])).body).toMatchObject({ code: 'not-rotatable' })
})

it('two tokens of a user that are accepted have no name in common, but one that was replaced gives its name up', async () => {
  const { body } = await create('twice')
  expect(await create('twice')).toMatchObject({ status: 409, body: { code: 'name-taken' } })
  await revoke(body['id'])
  const again = await create('twice')
  expect(again.status).toBe(201)
  const { body: replacing } = await rotate(again.body['id'])
  expect((await create('twice')).body['code']).toBe('name-taken')
  await revoke(replacing['id'])
  expect((await create('twice')).status).toBe(201)
})

it('a user has a hundred tokens at most, and one that is revoked makes room', async () => {
  const { body: before } = await gateway.request('GET', '/api/tokens?user=other')
  const accepted = (before as unknown as { status: string }[]).filter(({ status }) => status === 'active')
  const made = []
  for (let count = accepted.length; count < 100; count++) made.push((await create(`many-${count}`)).body)
  expect(await create('more')).toMatchObject({ body: { code: 'too-many-tokens' } })
  await revoke(made[0]?.['id'])
  expect((await create('more')).status).toBe(201)
  for (const { id } of made) await revoke(id)
})

it('twenty browsers are signed in as one user, and the next one ends the oldest', async () => {
  const { http } = gateway.gateway
  const browsers: Browsing[] = []
  for (let count = 0; count < 21; count++) browsers.push(await Browsing.signedIn(http, otherToken))
  const answers = []
  for (const browser of browsers) answers.push((await browser.ask('GET', '/api/userinfo')).status)
  expect(answers).toEqual([401, ...Array.from({ length: 20 }, () => 200)])
})
