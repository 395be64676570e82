import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { expect, it } from 'vitest'
import { SmallDisk } from '../../support/machine/small-disk.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'
import { Fleet, statuses } from './fleet.ts'

const canMount = process.geteuid?.() === 0 && SmallDisk.permitted()

/** Another gateway on what a killed one would leave at this moment. In a child: closing the file here drops its locks. */
function afterKill(fleet: Fleet): Promise<RunningGateway> {
  const state = path.join(path.dirname(fleet.gateway.repository), 'state')
  return RunningGateway.start(
    {},
    { prepare: (fresh) => void execFileSync('cp', ['-a', `${state}/.`, fresh]) },
  )
}

it('a batch whose gateway is killed is stopped: what ran, ran once, and what had not begun is said to have not', async () => {
  await using fleet = await Fleet.start(5, (name) => (name === 'c-1' ? { code: 0 } : 'wait'))
  const id = await fleet.begin({ waves: '1,2,rest', parallel: 2 })
  await waitFor(() => fleet.begun.length === 3)
  await using next = await afterKill(fleet)
  const { body } = await next.request('GET', `/api/batches/${id}`)
  expect(body).toMatchObject({
    status: 'stopped',
    stop: { reason: 'gateway-stopped', message: 'the gateway was stopped while the batch ran' },
    counts: { total: 5, succeeded: 1, failed: 2, running: 0, not_begun: 2 },
  })
  const runs = body['runs'] as Record<string, unknown>[]
  expect(runs.map(({ status, exit_code: code }) => [status, code])).toEqual([
    ['succeeded', 0],
    ['failed', 254],
    ['failed', 254],
    ['not-begun', null],
    ['not-begun', null],
  ])
  const { body: sessions } = await next.request('GET', `/api/sessions?batch_id=${id}`)
  expect(sessions['total']).toBe(3)
})

it('a batch that waits for approval still does behind a restart', async () => {
  await using fleet = await Fleet.start(
    2,
    () => ({ code: 0 }),
    {},
    () => ', review: { groups: [dba] }',
  )
  const id = await fleet.begin()
  await using next = await afterKill(fleet)
  expect((await next.request('GET', `/api/batches/${id}`)).body['status']).toBe('waiting')
})

it('a gateway that is stopped begins nothing more, and says so', async () => {
  await using fleet = await Fleet.start(3, () => 'wait')
  const id = await fleet.begin({ waves: '2,rest', parallel: 2 })
  await waitFor(() => fleet.begun.length === 2)
  await fleet.gateway.gateway.endSessions()
  const batch = await fleet.ended(id)
  expect(statuses(batch)).toEqual(['c-1 failed', 'c-2 failed', 'c-3 not-begun'])
  expect(batch.runs[0]).toMatchObject({ code: 'gateway-stopped' })
  expect(batch.stop?.reason).toBe('gateway-stopped')
  const refused = await fleet.create()
  expect([refused.status, refused.body['code']]).toEqual([503, 'gateway-draining'])
})

it.skipIf(!canMount)(
  'a full disk stops a batch, and no run is lost or begins twice (needs mount)',
  async () => {
    using disk = new SmallDisk('8M')
    const output = 'x'.repeat(200_000)
    await using fleet = await Fleet.start(200, () => ({ code: 0, output }), { state: disk.path })
    const id = await fleet.begin({ waves: 'rest', parallel: 4, stop_after: '100%' })
    const batch = await fleet.ended(id)
    expect([batch.status, batch.stop?.reason]).toEqual(['stopped', 'history'])
    expect(new Set(fleet.begun).size).toBe(fleet.begun.length)
    const begun = batch.runs.filter(({ status }) => status !== 'not-begun')
    expect(begun.map(({ connection }) => connection)).toEqual(fleet.begun.toSorted(byNumber))
    expect(begun.length).toBeLessThan(200)
  },
)

function byNumber(one: string, other: string): number {
  return Number(one.slice(2)) - Number(other.slice(2))
}
