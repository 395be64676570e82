import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NewSession, RecordedEnd } from '../../../../src/gateway/history/session.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'

const HOUR_MS = 3_600_000
/** 11:00 UTC on a recent day: noon in Africa/Lagos, which has one offset all year. */
const NOON = Math.floor(Date.now() / (24 * HOUR_MS)) * 24 * HOUR_MS - 13 * HOUR_MS
const at = (hoursAgo: number, ms = 0) => new Date(NOON - hoursAgo * HOUR_MS + ms).toISOString()

type Past = Partial<Omit<NewSession, 'labels'>> & {
  readonly id: string
  readonly labels?: Readonly<Record<string, string>>
  readonly hoursAgo: number
  /** Undefined if the command never began. */
  readonly tookMs?: number
  readonly end?: Partial<RecordedEnd>
}

const REFUND = { runbookFile: 'shop/pay.runbook.sh', runbookTitle: 'Refund an order' }
const HEALTH = { runbookFile: 'ops/health.runbook.sh', runbookSchedule: 'health' }

/** The newest is the first. */
const SESSIONS: readonly Past[] = [
  {
    id: 'refund',
    labels: { ...REFUND, runbookParameters: '{"order":"10293"}' },
    reason: 'ticket OPS-8',
    hoursAgo: 1,
    tookMs: 9000,
  },
  { id: 'refund-2', user: 'Bea', labels: REFUND, hoursAgo: 2, tookMs: 100 },
  { id: 'batch-2', connection: 'web-2', sessionBatchId: 'b-1', hoursAgo: 3, tookMs: 5000 },
  { id: 'health-3', labels: HEALTH, hoursAgo: 4, tookMs: 10 },
  {
    id: 'batch-1',
    connection: 'web-1',
    sessionBatchId: 'b-1',
    hoursAgo: 5,
    tookMs: 7000,
    end: { exitCode: 7 },
  },
  { id: 'health-2', labels: HEALTH, hoursAgo: 6, tookMs: 20, end: { exitCode: 1 } },
  { id: 'withdrawn', hoursAgo: 7, end: { exitCode: undefined, cause: { code: 'withdrawn', by: 'bea' } } },
  {
    id: 'refused',
    reason: 'Ticket OPS-77: the DISK is full',
    hoursAgo: 8,
    end: { exitCode: 254, cause: { code: 'policy' } },
  },
  {
    id: 'blocked',
    hoursAgo: 9,
    tookMs: 30,
    end: { exitCode: 0, guardrails: '[]', cause: { code: 'policy' } },
  },
  // In Lagos this was the day before.
  { id: 'health-1', labels: HEALTH, hoursAgo: 14, tookMs: 40 },
]

function fill(state: string): void {
  const history = openHistory(path.join(state, 'history.sqlite'))
  for (const { hoursAgo, tookMs, end, labels = {}, ...session } of SESSIONS.toReversed()) {
    const startedAt = new Date(NOON - hoursAgo * HOUR_MS)
    history.begin({
      origin: labels['runbookFile'] === undefined ? 'client-api' : 'client-api-runbooks',
      ...{ verb: 'exec', user: 'ann', connection: 'bash', connectionType: 'custom', metadata: {} },
      ...{ script: Buffer.from('true'), startedAt, labels, ...session },
    })
    history.finish(session.id, {
      ...{ exitCode: 0, truncatedBytes: 0, endedAt: new Date(startedAt.getTime() + (tookMs ?? 0)) },
      ...(tookMs !== undefined && { beganAt: startedAt }),
      ...end,
    })
  }
  history.close()
}

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { prepare: fill })
})
afterAll(() => gateway[Symbol.asyncDispose]())

interface Listed {
  readonly data: { readonly id: string; readonly group?: Record<string, unknown> }[]
  readonly total: number
  readonly has_next_page: boolean
  readonly looked_at?: object
}

async function list(query: string): Promise<Listed> {
  return (await gateway.request('GET', `/api/sessions?${query}`)).body as unknown as Listed
}

const idsOf = ({ data }: Listed) => data.map(({ id }) => id)

async function exported(query: string): Promise<string[]> {
  const reply = await fetch(`${gateway.gateway.http}/api/sessions/export?${query}`, {
    headers: { authorization: 'Bearer a-token-for-tests-0123456789', connection: 'close' },
  })
  expect(reply.status).toBe(200)
  return (await reply.text()).split(/\r?\n/).filter(Boolean)
}

describe('the list of sessions', () => {
  it.each<[string, string[]]>([
    ['text=refund%20ORDER', ['refund', 'refund-2']],
    ['text=refund%2010293', ['refund']],
    ['text=pay.runbook%20bea', ['refund-2']],
    ['text=ann%20health', ['health-3', 'health-2', 'health-1']],
    ['text=true', []],
    ['text=ops-77%20disk', ['refused']],
    ['text=Ticket%20ann', ['refund', 'refused']],
    ['text=refund%20OPS-8%2010293', ['refund']],
    ['text=order%20ticket&parameter=10293', ['refund']],
    ['parameter=ops-8', []],
    ['text=refund&parameter=10293', ['refund']],
    ['schedule=health', ['health-3', 'health-2', 'health-1']],
    ['schedule=health&status=failed', ['health-2']],
    ['status=withdrawn', ['withdrawn']],
    ['status=refused', ['refused']],
    ['status=blocked,withdrawn', ['withdrawn', 'blocked']],
    ['status=withdrawn,succeeded&text=refund', ['refund', 'refund-2']],
    ['status=withdrawn,rejected', ['withdrawn']],
    ['status=expired', []],
  ])('finds by %s %j, and so does an export', async (query, ids) => {
    const listed = await list(query)
    expect([idsOf(listed), listed.total]).toEqual([ids, ids.length])
    const lines = await exported(query)
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id).reverse()).toEqual(ids)
  })

  it.each<[string, string[]]>([
    ['order=asc&limit=2', ['health-1', 'blocked']],
    [
      'sort=took',
      ['refund', 'batch-1', 'batch-2', 'refund-2', 'health-1', 'blocked', 'health-2', 'health-3'],
    ],
    ['sort=took&order=asc&limit=2', ['health-3', 'health-2']],
    ['sort=user&order=desc&limit=2', ['refund-2', 'refund']],
    ['sort=connection&order=desc&limit=3', ['batch-2', 'batch-1', 'refund']],
    ['sort=runbook&limit=6', ['health-3', 'health-2', 'health-1', 'refund', 'refund-2', 'batch-2']],
  ])('has the order of %s: %j', async (query, ids) => {
    const listed = await list(query)
    expect(idsOf(listed)).toEqual(ids)
    expect(listed.looked_at).toMatchObject({ is_complete: true })
  })

  it('has one row for a batch, and one for the runs of a schedule on a day of the zone', async () => {
    const listed = await list('group=batches,schedules&time_zone=Africa/Lagos')
    expect(idsOf(listed)).toEqual(
      'refund refund-2 batch-2 health-3 withdrawn refused blocked health-1'.split(' '),
    )
    expect([listed.total, listed.has_next_page, listed.looked_at]).toEqual([
      8,
      false,
      { sessions: 10, is_complete: true },
    ])
    const [, , batch, schedule, ...others] = listed.data.map(({ group }) => group)
    expect(batch).toEqual({
      ...{ kind: 'batch', name: 'b-1', is_run: false, count: 2 },
      ...{ open: 0, succeeded: 1, failed: 1, stopped: 0, rejected: 0 },
      ...{ first_date: at(5), last_date: at(3) },
      ...{ began_at: at(5), end_date: at(3, 5000) },
    })
    expect(schedule).toMatchObject({ kind: 'schedule', name: 'health', count: 2, failed: 1 })
    expect(others).toEqual(others.map(() => undefined))
  })

  it('pages through rows, and counts only sessions that match', async () => {
    const page = await list('group=batches&limit=2&offset=2')
    expect([idsOf(page), page.total, page.has_next_page]).toEqual([['batch-2', 'health-3'], 9, true])
    const failed = await list('group=batches&status=failed&text=')
    expect(failed.data.map(({ id, group }) => [id, group])).toEqual(
      ['batch-1', 'health-2', 'refused', 'blocked'].map((id) => [id, undefined]),
    )
    // Kiritimati is 14 hours ahead of UTC: there all three were on one day.
    const far = await list('group=schedules&schedule=health&time_zone=Pacific/Kiritimati')
    expect(far.data.map(({ group }) => group?.['count'])).toEqual([3])
  })
})

describe('an export in the order of the list', () => {
  it('has its sessions, as CSV with exact times and without formulas', async () => {
    const [head, first, ...rest] = await exported('sort=took&format=csv')
    expect(head).toBe(
      'session,runbook,title,values,kind,state,exit code,connection,user,asked,began,ended,seconds,batch,schedule',
    )
    expect(first).toBe(
      `refund,shop/pay.runbook.sh,Refund an order,"{""order"":""10293""}",runbook,succeeded,0,bash,ann,${at(1)},${at(1)},${at(1, 9000)},9,,`,
    )
    expect(rest).toHaveLength(7)
    const lines = await exported('sort=started&text=refund')
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual((await list('text=refund')).data)
  })

  it('cannot be continued', async () => {
    const { status, body } = await gateway.request('GET', '/api/sessions/export?sort=user&after=3')
    expect([status, body['message']]).toEqual([
      422,
      expect.stringContaining('an export with sort or order cannot be continued'),
    ])
  })
})
