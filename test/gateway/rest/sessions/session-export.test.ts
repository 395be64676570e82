import { once } from 'node:events'
import http from 'node:http'
import path from 'node:path'
import { promisify } from 'node:util'
import fastify from 'fastify'
import Database from 'libsql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import type { PlacedSession, SessionSummary } from '../../../../src/gateway/history/session.ts'
import type { RestServices } from '../../../../src/gateway/rest/services.ts'
import { exportRoute } from '../../../../src/gateway/rest/sessions/export.ts'
import { otherToken, RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'

/** 20 MB of lines: far more than a connection holds for a reader who is slow. */
const SESSIONS = 20_000
const OF_ADMIN = 200
const STARTED = Date.now() - 3_600_000

/** One session of `other`, and copies of it, one in OF_ADMIN of `admin`. */
function fill(state: string): void {
  const file = path.join(state, 'history.sqlite')
  const history = openHistory(file)
  history.begin({
    ...{
      id: 's0',
      user: 'other',
      connection: 'bash',
      connectionType: 'custom',
      origin: 'client',
      verb: 'exec',
    },
    ...{ labels: { note: 'n'.repeat(500) }, metadata: {}, script: Buffer.alloc(0) },
    startedAt: new Date(STARTED),
  })
  history.finish('s0', { exitCode: 0, truncatedBytes: 0, endedAt: new Date(STARTED) })
  history.close()
  const db = new Database(file)
  const columns = (db.pragma('table_info(sessions)') as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => !['key', 'id', 'user'].includes(name))
    .join()
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${SESSIONS - 1})
    INSERT INTO sessions (id, user, ${columns})
      SELECT 's' || i, CASE WHEN i % ${OF_ADMIN} = 0 THEN 'admin' ELSE 'other' END, ${columns} FROM n JOIN sessions WHERE id = 's0'`)
  db.close()
}

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { prepare: fill })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const as = (token: string) => ({ authorization: `Bearer ${token}` })

async function exported(query = '', token = userToken): Promise<{ id: string; cursor: string }[]> {
  const url = `${gateway.gateway.http}/api/sessions/export?${query}`
  const response = await fetch(url, { headers: { ...as(token), connection: 'close' } })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
  const lines = (await response.text()).split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => JSON.parse(line) as { id: string; cursor: string })
}

/** A reader who takes the head of the answer, and nothing more. */
async function stalled(): Promise<http.IncomingMessage> {
  const options = { headers: as(otherToken), agent: false }
  const request = http.get(`${gateway.gateway.http}/api/sessions/export`, options)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return response
}

describe('an export of sessions', () => {
  it('has every session once, the oldest first, as the list shows it', async () => {
    const sessions = await exported()
    expect(sessions.map(({ id }) => id)).toEqual(Array.from({ length: SESSIONS }, (_, i) => `s${i}`))
    const { body } = await gateway.request('GET', '/api/sessions?limit=1')
    const [newest] = body['data'] as object[]
    expect(sessions.at(-1)).toEqual({ ...newest, cursor: expect.stringMatching(/^\d+$/) as string })
  })

  it('is of those that one may see, and goes on behind a cursor', async () => {
    const own = await exported('', otherToken)
    expect(own).toHaveLength(SESSIONS - (SESSIONS / OF_ADMIN - 1))
    const filtered = await exported('user=admin')
    expect(filtered.map(({ id }) => id)).toEqual(
      Array.from({ length: 99 }, (_, i) => `s${(i + 1) * OF_ADMIN}`),
    )
    const rest = await exported(`user=admin&after=${filtered[49]?.cursor}`)
    expect(rest).toEqual(filtered.slice(50))
    expect(await exported(`after=${own.at(-1)?.cursor}`, otherToken)).toEqual([])
    expect(await exported('user=admin', otherToken)).toEqual([])
    expect(await exported(`start_date=${new Date(STARTED + 1).toISOString()}`)).toEqual([])
  })

  it('refuses what is no cursor', async () => {
    expect(await gateway.request('GET', '/api/sessions/export?after=x')).toMatchObject({ status: 422 })
    expect(await gateway.request('GET', '/api/sessions/export?after=-1')).toMatchObject({ status: 422 })
  })

  it('is had four times at once by one user', async () => {
    const readers = await Promise.all([stalled(), stalled(), stalled(), stalled()])
    const refused = await gateway.request('GET', '/api/sessions/export', undefined, as(otherToken))
    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-clients' } })
    expect(await exported('user=admin')).toHaveLength(99)
    for (const reader of readers) reader.destroy()
    const again = async () => {
      const url = `${gateway.gateway.http}/api/sessions/export?after=99999999`
      const response = await fetch(url, { headers: { ...as(otherToken), connection: 'close' } })
      await response.text()
      return response.status === 200
    }
    await waitFor(again)
  })

  it('reads no further than it is read, cuts off who takes nothing, and does not look whole then', async () => {
    let steps = 0
    const line = {
      ...{ labels: { note: 'n'.repeat(10_000) }, metadata: {} },
      startedAt: new Date(STARTED),
    } as unknown as SessionSummary
    function* walk(): Generator<PlacedSession[]> {
      for (; steps < 100_000; steps++) yield [{ place: steps, session: line }]
    }
    const user = { name: 'ann', groups: [], kind: 'person', isActive: true, isDeclared: true } as const
    const users = {
      seesAll: () => true,
      viewer: () => undefined,
      isConnection: () => true,
      named: () => user,
    }
    const app = fastify()
    app.addHook('onRequest', (request, _, done) => {
      request.user = user
      done()
    })
    const limits = { streams: 1, ofOneUser: 1, reserved: 0, pieceMs: 200, closingMs: 1000 }
    const sessions = { stateOf: () => ({ name: 'running', text: 'running' }) }
    const services = { users, history: { walk }, sessions, repositories: { called: () => undefined } }
    exportRoute(app, services as unknown as RestServices, limits)
    const address = await app.listen({ host: '127.0.0.1', port: 0 })
    const request = http.get(`${address}/api/sessions/export`, { agent: false })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    // A reader who takes nothing does not see either that he was given up.
    const connections = promisify(app.server.getConnections.bind(app.server))
    await waitFor(async () => (await connections()) === 0)
    await expect(response.resume().toArray()).rejects.toThrow('aborted')
    // Sockets hold some MB.
    expect(steps).toBeLessThan(10_000)
    await app.close()
  })
})
