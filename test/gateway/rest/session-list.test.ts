import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { closeFile, openFile } from '../../../src/gateway/store/sqlite.ts'
import type { NewSession } from '../../../src/gateway/history/session.ts'
import { otherToken, RunningGateway } from '../../support/sites/running-gateway.ts'

// Thousands of sessions that were there before the gateway started.

const COUNT = 4000
const START = Date.now() - 24 * 60 * 60 * 1000
const asOther = { authorization: `Bearer ${otherToken}` }
const at = (i: number) => new Date(START + i * 1000)

/** Every fourth one is that of `other`. */
function session(i: number): NewSession {
  const [user, connection] = [i % 4 === 0 ? 'other' : 'admin', i % 3 === 0 ? 'pg' : 'bash']
  return {
    ...{ id: `s${i}`, origin: 'client-api', verb: 'exec', user, connection, startedAt: at(i) },
    ...(connection === 'pg'
      ? { connectionType: 'database', connectionSubtype: 'postgres' }
      : { connectionType: 'custom' }),
    ...(i % 100 === 0 && { correlationId: 'c 1' }),
    ...(i % 200 === 0 && { sessionBatchId: 'batch' }),
    ...{
      script: Buffer.from('the first line\nthe second line'),
      labels: { i: String(i) },
      metadata: { n: i },
    },
  }
}

function fill(state: string): void {
  database = path.join(state, 'history.sqlite')
  const history = openHistory(database)
  for (let i = 0; i < COUNT; i += 1) {
    history.begin(session(i))
    history.append(`s${i}`, 'o', Buffer.from('output'), 0)
    history.finish(`s${i}`, { exitCode: i % 5, truncatedBytes: 0, endedAt: at(i + 1) })
  }
  history.close()
}

let gateway: RunningGateway
let database: string
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { prepare: fill })
})
afterAll(() => gateway[Symbol.asyncDispose]())

interface Page {
  readonly data: readonly Record<string, unknown>[]
  readonly total: number | null
  readonly total_is_capped: boolean
  readonly has_next_page: boolean
}

async function list(query: string, headers: Record<string, string> = {}) {
  const { status, body } = await gateway.request('GET', `/api/sessions?${query}`, undefined, headers)
  const page = body as unknown as Page
  return { status, body, page, ids: status === 200 ? page.data.map(({ id }) => id) : [] }
}

/** What a list must hold, by the rule itself. */
function expected(fits: (i: number) => boolean, offset: number, limit: number) {
  const all = [...Array(COUNT).keys()].filter(fits).reverse()
  return { ids: all.slice(offset, offset + limit).map((i) => `s${i}`), total: all.length }
}

describe('GET /api/sessions', () => {
  it('shows the newest first, with no more of a script than its first line', async () => {
    const { status, page, ids } = await list('')
    expect([status, page.total, page.has_next_page, ids]).toEqual([
      200,
      COUNT,
      true,
      expected(() => true, 0, 20).ids,
    ])
    expect(page.data[1]).toEqual({
      ...{ id: 's3998', user: 'admin', user_id: 'admin', user_name: 'admin', identity_type: 'user' },
      ...{ connection: 'bash', role_name: 'bash', resource_name: 'bash', connection_tags: {} },
      ...{ type: 'custom', connection_subtype: '', verb: 'exec', origin: 'client-api', port: false },
      ...{ labels: { i: '3998' }, metadata: { n: 3998 }, script_size: null, ai_analysis: null },
      ...{ review: null, integrations_metadata: null, jira_transition: null },
      org_id: '00000000-0000-0000-0000-000000000000',
      ...{
        status: 'done',
        state: expect.objectContaining({ name: 'failed' }) as object,
        exit_code: 3,
        start_date: at(3998).toISOString(),
        approved_at: null,
        began_at: null,
        end_date: at(3999).toISOString(),
      },
      ...{ event_size: 6, truncated_bytes: 0, redacted_bytes: 0, guardrails_info: null, script: null },
      script_line: 'the first line',
      metrics: {
        data_masking: { err_count: 0, info_types: {}, total_redact_count: 0, transformed_bytes: 0 },
        ...{ event_size: 6, truncated: false },
      },
    })
    expect(JSON.stringify(page)).not.toContain('second line')
  })

  it.each<[string, (i: number) => boolean, number, number]>([
    ['limit=100', () => true, 0, 100],
    ['limit=1000', () => true, 0, 100],
    ['limit=3&offset=3998', () => true, 3998, 3],
    ['offset=4000', () => true, 4000, 20],
    ['connection=pg&limit=7&offset=5', (i) => i % 3 === 0, 5, 7],
    ['type=custom', (i) => i % 3 !== 0, 0, 20],
    ['type=custom&connection=pg', () => false, 0, 20],
    ['user=other&offset=990', (i) => i % 4 === 0, 990, 20],
    ['user=nobody', () => false, 0, 20],
    ['user=oth%25', (i) => i % 4 === 0, 0, 20],
    ['user=OTHER', () => false, 0, 20],
    ['user=oth%25&connection=p_', (i) => i % 12 === 0, 0, 20],
    ['connection=%25', () => true, 0, 20],
    ['connection=p*', () => false, 0, 20],
    ['connection=%5Cpg', (i) => i % 3 === 0, 0, 20],
    ['connection=p%5C_', () => false, 0, 20],
    ['connection=pg%5C', () => false, 0, 20],
    ['connection=pg&connection=bash', (i) => i % 3 === 0, 0, 20],
    ['type=cus%25m', (i) => i % 3 !== 0, 0, 20],
    ['batch_id=', () => false, 0, 20],
    ['user=', () => false, 0, 20],
    ['correlation_id=c+1&limit=50', (i) => i % 100 === 0, 0, 50],
    ['correlation_id=', () => true, 0, 20],
    ['batch_id=batch&connection=pg', (i) => i % 600 === 0, 0, 20],
    [
      `start_date=${at(1000).toISOString()}&end_date=${at(1010).toISOString()}`,
      (i) => i >= 1000 && i <= 1010,
      0,
      20,
    ],
    [`start_date=${at(3990).toISOString()}`, (i) => i >= 3990, 0, 20],
    [`end_date=${at(9).toISOString()}&user=admin`, (i) => i <= 9 && i % 4 !== 0, 0, 20],
  ])('with %s shows what fits', async (query, fits, offset, limit) => {
    const { page, ids } = await list(query)
    const wanted = expected(fits, offset, limit)
    expect([ids, page.total]).toEqual([wanted.ids, wanted.total])
    expect(page.has_next_page).toBe(offset + wanted.ids.length < wanted.total)
    expect(page.total_is_capped).toBe(false)
  })

  it('counts as it is asked to', async () => {
    const counted = async (query: string) => {
      const { total, total_is_capped, has_next_page } = (await list(query)).page
      return [total, total_is_capped, has_next_page]
    }
    expect(await counted('count=capped')).toEqual([COUNT, false, true])
    expect(await counted('count=exact&offset=3990')).toEqual([COUNT, false, false])
    expect(await counted('count=none&limit=2&offset=3997')).toEqual([null, false, true])
    expect(await counted('count=none&limit=2&offset=3998')).toEqual([null, false, false])
    expect((await list('count=none', {})).ids).toHaveLength(20)
  })

  it('is there under the name of the audit plugin, too', async () => {
    const { body } = await gateway.request('GET', '/api/plugins/audit/sessions?limit=1')
    expect(body).toEqual((await list('limit=1')).body)
  })

  it('shows nobody but admins the sessions of others, whatever is asked for', async () => {
    for (const query of [
      'limit=100',
      'user=other&limit=100',
      'user=admin',
      'connection=bash',
      'batch_id=batch',
    ]) {
      const { page } = await list(query, asOther)
      expect(page.data.every(({ user_name }) => user_name === 'other')).toBe(true)
    }
    expect((await list('', asOther)).page.total).toBe(1000)
    const nothing = { data: [], total: 0, total_is_capped: false, has_next_page: false }
    expect((await list('user=admin', asOther)).page).toEqual(nothing)
  })

  it('answers while another program holds the file', async () => {
    const { db } = openFile(database, undefined)
    db.exec('BEGIN IMMEDIATE')
    expect((await list('limit=1')).ids).toEqual(['s3999'])
    db.exec('ROLLBACK')
    closeFile(db)
  })

  it.each([
    ['limit=abc', 'failed listing sessions, invalid "limit" option: "abc" is not a number'],
    [
      'count=foo',
      'failed listing sessions, invalid "count" option: invalid count value "foo", expected one of [exact none capped]',
    ],
    ['offset=-1', 'failed listing sessions, invalid "offset" option: must not be negative, got -1'],
    [
      'start_date=yesterday',
      'failed listing sessions, invalid "start_date" option: start_date or end_date in wrong format',
    ],
  ])('refuses %s', async (query, message) => {
    const { status, body } = await list(query)
    expect([status, body]).toEqual([422, { message, code: 'invalid-request' }])
  })
})
