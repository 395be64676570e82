import path from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import type { History } from '../../../../src/gateway/history/history.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { Budgets } from '../../../../src/gateway/people/identities/budgets.ts'
import type { Budget } from '../../../../src/gateway/identity.ts'
import { waitFor } from '../../../support/wait.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'

const BOT = `
  - { name: bot, kind: machine, token: a-token-of-the-bot-0123, groups: [lead], budget: { runs: 2, per: 1h } }`
const CONNECTIONS = `
  - { name: asked, agent: local, command: [bash], review: { groups: [lead] } }`
const asBot = { authorization: 'Bearer a-token-of-the-bot-0123' }

it('a machine does not approve, even in a group that reviews, and may reject', async () => {
  await using gateway = await RunningGateway.start({}, { users: BOT, connections: CONNECTIONS })
  const { body } = await gateway.request('POST', '/api/sessions', { connection: 'asked', script: 'true' })
  const place = `/api/reviews/${String(body['session_id'])}`
  expect(await gateway.request('PUT', place, { status: 'APPROVED' }, asBot)).toMatchObject({
    status: 403,
    body: { code: 'not-permitted', message: 'bot is a machine, and only people may approve' },
  })
  expect(await gateway.request('PUT', place, { status: 'REJECTED' }, asBot)).toMatchObject({
    body: { status: 'REJECTED' },
  })
})

it('a machine that is an admin makes and changes no identity, and rotates and revokes its own tokens', async () => {
  await using gateway = await RunningGateway.start()
  const budget = { runs: 2 }
  const asked = { email: 'bot', kind: 'machine', groups: ['admin'], budget }
  expect(await gateway.request('POST', '/api/users', asked)).toMatchObject({ status: 201 })
  const token = async (body: object) => (await gateway.request('POST', '/api/tokens', body)).body
  const own = await token({ name: 'own', user: 'bot' })
  const others = await token({ name: 'others', user: 'other' })
  const asMachine = { authorization: `Bearer ${String(own['token'])}` }
  const ask = async (method: string, url: string, body?: object) =>
    (await gateway.request(method, url, body, asMachine)).status
  expect(await ask('POST', '/api/tokens', { name: 'more', user: 'other' })).toBe(403)
  expect(await ask('POST', `/api/tokens/${String(others['id'])}/rotate`, {})).toBe(403)
  expect(await ask('POST', '/api/api-keys', { name: 'another' })).toBe(403)
  expect(await ask('DELETE', `/api/tokens/${String(others['id'])}`)).toBe(403)
  expect(await ask('POST', '/api/users', { email: 'mallory' })).toBe(403)
  expect(await ask('PUT', '/api/users/other', { groups: ['admin'] })).toBe(403)
  expect(await ask('PUT', '/api/users/bot', { budget: null })).toBe(403)
  expect((await gateway.request('GET', '/api/users/bot')).body['budget']).toMatchObject(budget)
  expect(await ask('POST', `/api/tokens/${String(own['id'])}/rotate`, {})).toBe(201)
  expect(await ask('DELETE', `/api/tokens/${String(own['id'])}`)).toBe(204)
})

it('a person has no budget, from the beginning or later', async () => {
  await using gateway = await RunningGateway.start()
  const refused = { status: 422, body: { code: 'invalid-request' } }
  const budget = { runs: 2 }
  expect(await gateway.request('POST', '/api/users', { email: 'ann', budget })).toMatchObject(refused)
  expect((await gateway.request('POST', '/api/users', { email: 'ann' })).status).toBe(201)
  expect(await gateway.request('PUT', '/api/users/ann', { budget })).toMatchObject(refused)
})

it('a budget holds for what begins at once, by requests of their own and in a batch', async () => {
  const runbooks = 'runbooks: { repository: rb, path: ops/ }'
  const more = [1, 2, 3, 4, 5].map(
    (at) => `\n  - { name: c${at}, agent: local, command: [bash], ${runbooks} }`,
  )
  await using gateway = await RunningGateway.start(
    {},
    { users: BOT, connections: more.join(''), limits: '{ agent-wait: 0s }' },
  )
  const run = () => gateway.request('POST', '/api/sessions', { connection: 'bash', script: 'true' }, asBot)
  const batch = {
    file_name: 'ops/a.runbook.sh',
    parameters: { x: '1' },
    ...{ connections: ['c1', 'c2', 'c3', 'c4', 'c5'], waves: 'rest', stop_after: '100%', parallel: 5 },
  }
  const begin = () => gateway.request('POST', '/api/batches', batch, asBot)
  const [made] = await Promise.all([begin(), ...Array.from({ length: 10 }, run)])
  expect(made.status).toBe(201)
  await waitFor(
    async () =>
      (await gateway.request('GET', `/api/batches/${String(made.body['id'])}`)).body['status'] === 'done',
  )
  const { body } = await gateway.request('GET', '/api/sessions?user=bot&limit=50')
  expect(body['data']).toHaveLength(2)
})

it('a machine that has used up its runs is refused, and told when there is room', async () => {
  await using gateway = await RunningGateway.start({}, { users: BOT, limits: '{ agent-wait: 0s }' })
  const run = () => gateway.request('POST', '/api/sessions', { connection: 'bash', script: 'true' }, asBot)
  expect([(await run()).status, (await run()).status]).toEqual([200, 200])
  const { status, body } = await run()
  expect([status, body['code']]).toEqual([429, 'budget-spent'])
  expect(body['message']).toMatch(/^bot has used up its budget of 2 runs in 1h: try again after 20\S+Z$/)
  const { body: uses } = await gateway.request('GET', '/api/budgets')
  const budget = { runs: 2, bytes: null, hours: null, per: 3600 }
  expect(uses).toMatchObject([{ user: 'bot', budget, used: { runs: 2 } }])
  const [{ free_at: freeAt }] = uses as unknown as [{ free_at: string }]
  expect(body['message']).toContain(`try again after ${freeAt}`)
})

/** What sessions of ten minutes and 100 bytes each leave of a budget: by default three that began an hour apart. */
function verdict(budget: Budget, removed: boolean, hoursAgo: readonly number[] = [3, 2, 1]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'budget-'))
  const history = openHistory(path.join(folder, 'state', 'history.sqlite'))
  try {
    const budgets = new Budgets(
      { named: (name) => ({ name, kind: 'machine', groups: [], isActive: true, isDeclared: true, budget }) },
      history,
    )
    // Before its first session, as it is asked then.
    budgets.check('bot')
    for (const hours of hoursAgo) record(history, `s${hours}`, Date.now() - hours * HOUR_MS)
    if (removed) history.quota.removeOlder(() => Date.now())
    budgets.check('bot')
    return 'room'
  } catch (error) {
    return (error as Error).message.replace(/ 20\S+Z$/, '')
  } finally {
    history.close()
    rmSync(folder, { recursive: true })
  }
}

const HOUR_MS = 60 * 60 * 1000

function record(history: History, id: string, startedAt: number): void {
  history.begin({
    ...{ id, user: 'bot', connection: 'bash', connectionType: 'custom', startedAt: new Date(startedAt) },
    ...{ origin: 'client', verb: 'exec', labels: {}, metadata: {}, script: Buffer.alloc(0) },
  })
  history.append(id, 'o', Buffer.alloc(100), 0)
  history.finish(id, { exitCode: 0, truncatedBytes: 0, endedAt: new Date(startedAt + HOUR_MS / 6) })
}

const LIMITS: readonly (readonly [string, Omit<Budget, 'perMs'>, string])[] = [
  ['runs', { runs: 3 }, 'bot has used up its budget of 3 runs in 1d: try again after'],
  ['bytes', { runs: 99, bytes: 300 }, 'bot has used up its budget of 300 bytes in 1d: try again after'],
  [
    'hours',
    { runs: 99, runningMs: HOUR_MS / 2 },
    'bot has used up its budget of 0.5 hours in 1d: try again after',
  ],
  ['nothing', { runs: 4, bytes: 301, runningMs: HOUR_MS }, 'room'],
]

it.each(LIMITS)('a budget counts %s, also of sessions that the history has removed', (_, limits, said) => {
  const budget = { ...limits, perMs: 24 * HOUR_MS }
  expect([verdict(budget, false), verdict(budget, true)]).toEqual([said, said])
  expect(verdict({ ...budget, perMs: HOUR_MS / 2 }, true)).toBe('room')
})

it.each([
  [7 * 24 * HOUR_MS, '7d'],
  [36 * HOUR_MS, '36h'],
  [90 * 60_000, '90m'],
  [90_000, '90s'],
  [90_500, '90500ms'],
])('a budget of %i ms is told as one of %s', (perMs, told) => {
  const said = `bot has used up its budget of 1 runs in ${told}: try again after`
  expect(verdict({ runs: 1, perMs }, false, [0])).toBe(said)
})
