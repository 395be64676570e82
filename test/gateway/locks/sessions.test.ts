import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { otherToken, RunningGateway, type Answer } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

// No agent is connected: a session that may run waits for it, and keeps its locks.

const CONNECTIONS = `
  - { name: pg, agent: local, command: [bash], runbooks: { repository: rb } }
  - { name: hidden, agent: local, command: [bash], runbooks: { repository: rb }, access: { groups: [admin] } }
  - { name: reviewed, agent: local, command: [bash], runbooks: { repository: rb }, review: { groups: [dba] } }`
const LOCKS = `
locks:
  - { name: migrations, runbooks: ['ops/migrate/*'] }
  - { name: secret, connections: [hidden] }
  - { name: long, runbooks: ['infra/long-*'] }`
const FILES = {
  'ops/migrate/a.sh': 'echo a',
  'ops/migrate/b.sh': 'echo b',
  'ops/plain.sh': 'echo plain',
  'infra/long-run.sh': 'echo long',
}

let gateway: RunningGateway
beforeAll(async () => {
  const limits = '{ wait: 100ms, agent-wait: 1h, lock-wait: 1s }'
  gateway = await RunningGateway.start(FILES, { connections: CONNECTIONS, more: LOCKS, limits })
  // The repository's git process starts with the first read and stays: it is no leak of a test.
  await kill((await run('ops/plain.sh')).body['session_id'])
})
afterAll(() => gateway[Symbol.asyncDispose]())

interface Lock {
  readonly name: string
  readonly holder: { readonly session_id: string } | null
  readonly waiting: readonly object[]
}
const held = async (name = 'migrations', headers = {}) => {
  const { body } = await gateway.request('GET', '/api/locks', undefined, headers)
  return (body as unknown as Lock[]).find((lock) => lock.name === name)
}
const run = (file: string, connection = 'bash'): Promise<Answer> =>
  gateway.exec({ file_name: file }, connection)
const kill = (sid: unknown) => gateway.request('POST', `/api/sessions/${String(sid)}/kill`)
const session = async (answer: Answer) => (await gateway.request('GET', `/api/sessions/${idOf(answer)}`)).body
const idOf = ({ body }: Answer) => String(body['session_id'])
afterEach(async () => {
  const { body } = await gateway.request('GET', '/api/sessions?limit=100')
  const open = (body['data'] as { id: string; status: string }[]).filter(({ status }) => status !== 'done')
  for (const { id } of open) await kill(id)
  await waitFor(async () => (await held())?.holder === null)
})

it('a hyphen in the path of a lock is a hyphen', async () => {
  const first = await run('infra/long-run.sh', 'pg')
  expect(first.status).toBe(202)
  expect((await held('long'))?.holder?.session_id).toBe(idOf(first))
})

it('a runbook waits for another one under its lock, on any connection, and is told whose it is', async () => {
  const first = await run('ops/migrate/a.sh')
  expect([first.status, first.body['waits_for']]).toEqual([202, undefined])
  const second = await run('ops/migrate/b.sh', 'pg')
  expect(second.status).toBe(202)
  const since = expect.stringMatching(/Z$/) as string
  const holder = { session_id: idOf(first), user: 'admin', since }
  expect(second.body['waits_for']).toEqual({ lock: 'migrations', ...holder, ahead: 0 })
  expect((await session(second))['state']).toEqual({
    ...{ name: 'waiting-for-lock', text: 'waits for lock migrations, held by admin', by: 'admin' },
    ...{ agent: null, until: null },
    ...{ lock: 'migrations', since },
  })
  expect((await session(first))['state']).toMatchObject({ name: 'waiting-for-agent' })
  expect(await held()).toEqual({
    ...{ name: 'migrations', runbooks: ['ops/migrate/*'], connections: null, holder },
    waiting: [{ session_id: idOf(second), user: 'admin', since }],
  })
  await kill(idOf(first))
  await waitFor(async () => (await held())?.holder?.session_id === idOf(second))
})

it('what no lock is for, and a script of a user, runs beside it', async () => {
  await run('ops/migrate/a.sh')
  const others = [
    await run('ops/plain.sh'),
    await gateway.script('echo x', { labels: { runbookFile: 'ops/migrate/a.sh' } }),
  ]
  expect(others.map(({ body }) => body['waits_for'])).toEqual([undefined, undefined])
})

it('a session that waits too long ends with a code and says for whom', async () => {
  const first = await run('ops/migrate/a.sh')
  const second = idOf(await run('ops/migrate/b.sh'))
  const session = async () => (await gateway.request('GET', `/api/sessions/${second}`)).body
  await waitFor(async () => (await session())['status'] === 'done')
  const { body } = await gateway.request(
    'GET',
    `/api/sessions/${second}?expand=event_stream&event_stream=utf8`,
  )
  expect(body['exit_code']).toBe(254)
  expect(String(body['event_stream'])).toContain(
    `rpc error: code = ResourceExhausted desc = nothing has run: the session waited too long for a lock; lock migrations is held by session ${idOf(first)} of admin since `,
  )
})

it('one that is killed while it waits leaves the queue', async () => {
  const first = await run('ops/migrate/a.sh')
  const second = await run('ops/migrate/b.sh')
  await kill(idOf(second))
  await waitFor(async () => (await held())?.waiting.length === 0)
  expect((await held())?.holder?.session_id).toBe(idOf(first))
  expect((await session(second))['state']).toMatchObject({
    name: 'stopped',
    text: 'stopped by admin',
    by: 'admin',
  })
})

it('one that has to be approved takes its lock when it runs, not while it waits for people', async () => {
  const reviewed = idOf(await run('ops/migrate/a.sh', 'reviewed'))
  expect((await held())?.holder).toBeNull()
  const headers = { authorization: `Bearer ${otherToken}` }
  await gateway.request('PUT', `/api/reviews/${reviewed}`, { status: 'APPROVED' }, headers)
  expect((await held())?.holder).toBeNull()
  const first = await run('ops/migrate/a.sh')
  const approved = await gateway.request('POST', `/api/sessions/${reviewed}/exec`)
  expect(approved.body['waits_for']).toMatchObject({ lock: 'migrations', session_id: idOf(first) })
})

it('a lock of a connection that a user does not see is not listed', async () => {
  const headers = { authorization: `Bearer ${otherToken}` }
  expect(await held('secret', headers)).toBeUndefined()
  expect((await held('migrations', headers))?.holder).toBeNull()
  expect((await held('secret'))?.holder).toBeNull()
})
