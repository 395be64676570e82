import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { ReviewRows } from '../../../src/gateway/reviews/review-rows.ts'
import type { Review } from '../../../src/gateway/reviews/review.ts'
import { ReviewSite } from './site.ts'

let site: ReviewSite
beforeAll(async () => {
  site = await ReviewSite.start()
})
afterAll(() => site[Symbol.asyncDispose]())

it('a review is not decided as it was before somebody has changed it', async ({ onTestFinished }) => {
  const sid = await site.ask('echo never')
  const find = vi.spyOn(ReviewRows.prototype, 'find')
  onTestFinished(() => find.mockRestore())
  await site.say('bea', sid, 'REJECTED')
  const before = find.mock.results[0]?.value as Review | undefined
  expect(before).toMatchObject({ sessionId: sid, status: 'PENDING' })
  find.mockReturnValueOnce(before)
  const decided = await site.say('cid', sid, 'APPROVED')
  expect([decided.status, decided.body['code']]).toEqual([400, 'review-wrong-state'])
  expect((await site.as('admin', 'GET', `/api/reviews/${sid}`)).body['status']).toBe('REJECTED')
})
