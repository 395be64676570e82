import { expect, it } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import {
  deciderOf,
  fetchReview,
  groupNames,
  neededApprovals,
  windowOf,
  type Review,
} from '../../../src/client/rest/reviews.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'

async function read(sent: object): Promise<Review> {
  await using rest = await ScriptedRest.start()
  rest.on('GET /api/reviews/r', json(200, { id: 'r', status: 'PENDING', ...sent }))
  const env = { HOOP_APIURL: rest.url, HOOP_TOKEN: 'the-token-of-a-test' }
  return await fetchReview(findAccount({ env, stored: undefined, file: '' }), 'r')
}

const group = (fields: object) => ({ group: 'dba', status: 'APPROVED', ...fields })

it.each([
  {},
  { min_approvals: null, time_window: null, review_groups_data: null, batch: null, session: null },
  { min_approvals: '2', time_window: { type: 'time_range', configuration: {} }, review_groups_data: ['dba'] },
  { time_window: { configuration: { start_time: '01:00' } }, access_duration: null, batch: 'b' },
  { time_window: 'always', rejection_reason: null, access_request_rule_name: 7 },
])('reads a review of hoop that says only %j', async (sent) => {
  const review = await read(sent)
  expect([neededApprovals(review), windowOf(review), review.batch]).toEqual([undefined, undefined, undefined])
  expect([groupNames(review), review.access_duration, review.rejection_reason]).toEqual([[], 0, ''])
  expect(review.access_request_rule_name).toBe('')
  expect(review.raw).toEqual({ id: 'r', status: 'PENDING', ...sent })
})

it('needs no more groups than there are, and names whoever has decided as well as the gateway does', async () => {
  const people = [
    { id: 'i', name: 'n', email: 'e' },
    { id: 'i', name: 'n', email: null },
    { id: 'i' },
    null,
    7,
  ]
  const review = await read({
    min_approvals: 9,
    review_groups_data: people.map((person) => group({ reviewed_by: person })),
    time_window: { configuration: { start_time: '01:00', end_time: '05:00' } },
  })
  expect(neededApprovals(review)).toBe(5)
  expect(review.review_groups_data.map(deciderOf)).toEqual(['e', 'n', 'i', '', ''])
  expect(windowOf(review)).toEqual({ start: '01:00', end: '05:00' })
})
