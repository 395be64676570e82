import { afterEach, expect, it, vi } from 'vitest'
import { otherToken } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'
import { Fleet, statuses } from './fleet.ts'

const HOUR_MS = 3_600_000

afterEach(() => vi.useRealTimers())

it('a batch that was approved for a time of the day begins none of its runs after that time', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-26T10:30:00Z') })
  await using fleet = await Fleet.start(
    4,
    (name) => (name === 'c-2' ? 'wait' : { code: 0 }),
    {},
    () => ', review: { groups: [dba] }',
  )
  const { body } = await fleet.create({ waves: '1,1,rest' })
  const { id: review } = body['review'] as { id: string }
  const id = String(body['id'])
  const time_window = { type: 'time_range', configuration: { start_time: '10:00', end_time: '11:00' } }
  const decided = await fleet.gateway.request(
    'PUT',
    `/api/reviews/${review}`,
    { status: 'APPROVED', time_window },
    { authorization: `Bearer ${otherToken}` },
  )
  expect(decided.body).toMatchObject({ status: 'APPROVED', time_window })
  const exec = () => fleet.gateway.request('POST', `/api/batches/${id}/exec`)
  vi.setSystemTime(Date.now() - HOUR_MS)
  expect((await exec()).body['code']).toBe('outside-time-window')
  vi.setSystemTime(Date.now() + HOUR_MS)
  expect((await exec()).status).toBe(202)
  await waitFor(() => fleet.begun.includes('c-2'))
  vi.setSystemTime(Date.now() + HOUR_MS)
  await fleet.end('c-2')
  const ended = await fleet.ended(id)
  expect(ended).toMatchObject({ status: 'stopped', stop: { reason: 'outside-time-window' } })
  expect(statuses(ended)).toEqual(['c-1 succeeded', 'c-2 succeeded', 'c-3 not-begun', 'c-4 not-begun'])
  expect(fleet.begun).toEqual(['c-1', 'c-2'])
})
