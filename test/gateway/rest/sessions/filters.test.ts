import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RecordedEnd } from '../../../../src/gateway/history/session.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { lastDays } from '../../../../src/gateway/rest/sessions/by-day.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'

const NOW = Date.now()
const DAY_MS = 24 * 60 * 60 * 1000

type End = Partial<RecordedEnd>
/** Id, what it runs, days ago, and how it has ended. */
const SESSIONS: [string, { file?: string; parameters?: object; verb?: string }, number, End | undefined][] = [
  [
    'refund',
    { file: 'ops/refund.runbook.sh', parameters: { order: '10293', note: 'Über "Bea"' } },
    0,
    { exitCode: 0 },
  ],
  ['refund-2', { file: 'ops/refund.runbook.sh', parameters: { order: '7' } }, 1, { exitCode: 3 }],
  [
    'report',
    { file: 'sql/report.runbook.sql', parameters: { day: '2026-10293' } },
    1,
    { exitCode: 0, cause: { code: 'session-killed', by: 'ann' } },
  ],
  ['script', {}, 2, { exitCode: 254, cause: { code: 'rejected', by: 'bea' } }],
  ['terminal', { verb: 'connect' }, 2, { exitCode: 0, cause: { code: 'timeout' } }],
  // Longer than what is searched.
  [
    'old',
    { file: 'ops/refund.runbook.sh', parameters: { log: `10293${'x'.repeat(64 * 1024)}` } },
    20,
    { exitCode: 0 },
  ],
]

function fill(state: string): void {
  const history = openHistory(path.join(state, 'history.sqlite'))
  for (const [id, { file, parameters, verb = 'exec' }, daysAgo, end] of SESSIONS.toReversed()) {
    const startedAt = new Date(NOW - daysAgo * DAY_MS)
    history.begin({
      ...{ id, origin: file === undefined ? 'client-api' : 'client-api-runbooks', verb, user: 'admin' },
      ...{ connection: 'bash', connectionType: 'custom', startedAt, script: Buffer.from('10293') },
      labels: {
        ...(file !== undefined && { runbookFile: file }),
        ...(parameters && { runbookParameters: JSON.stringify(parameters) }),
      },
      metadata: { note: '10293' },
    })
    history.finish(id, { exitCode: 0, truncatedBytes: 0, endedAt: startedAt, ...end })
  }
  history.close()
}

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { prepare: fill })
})
afterAll(() => gateway[Symbol.asyncDispose]())

async function found(query: string): Promise<unknown[]> {
  const { body } = await gateway.request('GET', `/api/sessions?${query}`)
  const { data, total } = body as { data: { id: string }[]; total: number }
  expect(total).toBe(data.length)
  const exported = await fetch(`${gateway.gateway.http}/api/sessions/export?${query}`, {
    headers: { authorization: 'Bearer a-token-for-tests-0123456789', connection: 'close' },
  })
  const lines = (await exported.text()).split('\n').filter(Boolean)
  const ids = data.map(({ id }) => id)
  expect(lines.map((line) => (JSON.parse(line) as { id: string }).id).reverse()).toEqual(ids)
  return ids
}

it.each<[string, string[]]>([
  ['runbook=ops/refund.runbook.sh', ['refund', 'refund-2', 'old']],
  ['runbook=%25report%25', ['report']],
  ['runbook=', ['refund', 'refund-2', 'report', 'script', 'terminal', 'old']],
  ['kind=terminal', ['terminal']],
  ['kind=script', ['script']],
  ['kind=runbook&status=succeeded', ['refund', 'old']],
  ['status=failed', ['refund-2', 'terminal']],
  ['status=stopped,rejected', ['report', 'script']],
  ['status=running', []],
  ['status=waiting,approved,running', []],
  ['status=running,failed', ['refund-2', 'terminal']],
  ['status=open', []],
  ['status=done&runbook=%25.sql', ['report']],
  ['parameter=10293', ['refund', 'report', 'old']],
  ['parameter=10293&runbook=ops%25', ['refund', 'old']],
  ['parameter=%22bEA%22', ['refund']],
  ['parameter=%C3%9Cber', ['refund']],
  ['parameter=order', []],
  ['parameter=%5C', []],
  ['status=succeeded&parameter=1&count=exact', ['refund', 'old']],
])('the filter %s finds %j, in the list and in an export', async (query, ids) => {
  expect(await found(query)).toEqual(ids)
})

it.each([
  [
    'status=lost',
    'invalid status "lost", expected one of [waiting approved running succeeded failed stopped rejected closed ',
  ],
  ['status=constructor', 'invalid status "constructor"'],
  ['kind=batch', 'invalid kind "batch", expected one of [runbook script terminal list]'],
])('%s is refused', async (query, message) => {
  const { status, body } = await gateway.request('GET', `/api/sessions?${query}`)
  expect([status, body['message']]).toEqual([422, expect.stringContaining(message)])
})

it('the list says what a search for a parameter has searched', async () => {
  const searched = async (query: string) =>
    (await gateway.request('GET', `/api/sessions?${query}`)).body['parameter_search']
  const all = { searched: 4, is_complete: true }
  expect(await searched('parameter=xxx')).toEqual({ ...all, shortened: 0 })
  expect(await searched('parameter=7')).toEqual({ ...all, shortened: 1 })
  expect(await searched('parameter=7&status=failed')).toEqual({ ...all, searched: 1, shortened: 0 })
  expect(await searched('status=failed')).toBeUndefined()
})

it('the list tells a session that runs and one that waits, until they end', async () => {
  const begun = await gateway.request(
    'POST',
    '/api/sessions',
    { connection: 'bash', script: 'true' },
    { prefer: 'respond-async' },
  )
  expect(begun.status).toBe(202)
  const id = begun.body['session_id']
  expect(await found('status=running')).toEqual([id])
  expect(await found('status=open,succeeded&kind=script')).toEqual([id])
  expect(await found('status=waiting')).toEqual([])
  await gateway.request('POST', `/api/sessions/${String(id)}/kill`)
  expect(await found('status=running')).toEqual([])
})

describe('GET /api/sessions/by-day', () => {
  it('counts sessions by day and outcome, with the filters of the list', async () => {
    const counts = async (query: string) => {
      const { body } = await gateway.request('GET', `/api/sessions/by-day?user=admin&runbook=%25&${query}`)
      const { days, is_capped } = body as { days: Record<string, unknown>[]; is_capped: boolean }
      expect(is_capped).toBe(false)
      return days
    }
    const none = { open: 0, succeeded: 0, failed: 0, stopped: 0, rejected: 0 }
    const day = (ago: number) => new Date(NOW - ago * DAY_MS).toISOString().slice(0, 10)
    expect(await counts('days=3')).toEqual([
      { ...none, day: day(2) },
      { ...none, day: day(1), failed: 1, stopped: 1 },
      { ...none, day: day(0), succeeded: 1 },
    ])
    expect(await counts('')).toHaveLength(30)
    expect((await counts('days=25')).filter(({ succeeded }) => succeeded === 1)).toHaveLength(2)
    expect((await counts('days=2&status=failed'))[0]).toEqual({ ...none, day: day(1), failed: 1 })
    for (const wrong of ['days=0', 'days=93', 'time_zone=Mars/Olympus'])
      expect((await gateway.request('GET', `/api/sessions/by-day?${wrong}`)).status).toBe(422)
  })

  it('begins days at the midnight of the time zone, also when the clocks change', () => {
    const days = lastDays(3, 'Europe/Berlin', new Date('2026-10-25T23:30:00Z'))
    expect(days.map(({ day, from }) => [day, from.toISOString()])).toEqual([
      ['2026-10-24', '2026-10-23T22:00:00.000Z'],
      ['2026-10-25', '2026-10-24T22:00:00.000Z'],
      ['2026-10-26', '2026-10-25T23:00:00.000Z'],
    ])
    expect(days[1]?.to.toISOString()).toBe('2026-10-25T22:59:59.999Z')
    expect(lastDays(1, 'Pacific/Kiritimati', new Date('2026-01-01T11:00:00Z'))[0]?.day).toBe('2026-01-02')
    expect(lastDays(1, '', new Date('2026-01-01T11:00:00Z'))[0]?.from.toISOString()).toBe(
      '2026-01-01T00:00:00.000Z',
    )
  })
})
