import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { Reviews } from '../../../src/gateway/reviews/reviews.ts'
import { Sessions } from '../../../src/gateway/sessions/sessions.ts'
import { HistoryError } from '../../../src/gateway/store/errors.ts'
import { ReviewSite } from './site.ts'

let site: ReviewSite
beforeAll(async () => {
  site = await ReviewSite.start()
})
afterAll(() => site[Symbol.asyncDispose]())

it('a decision stands although the end of its session cannot be written, which the log tells', async ({
  onTestFinished,
}) => {
  const sid = await site.ask('echo never')
  const end = vi.spyOn(Sessions.prototype, 'endWaiting').mockImplementation(() => {
    throw new HistoryError('the disk is full')
  })
  onTestFinished(() => end.mockRestore())
  expect(await site.say('bea', sid, 'REJECTED')).toMatchObject({ status: 200, body: { status: 'REJECTED' } })
  expect(site.gateway.log.filter((line) => line.startsWith('session not recorded'))).toHaveLength(1)
  expect((await site.run('ann', sid)).status).toBe(403)
})

it('what fails for another reason is a failure of the request', async ({ onTestFinished }) => {
  const sid = await site.ask('echo never')
  const end = vi.spyOn(Sessions.prototype, 'endWaiting').mockImplementation(() => {
    throw new TypeError('a bug')
  })
  onTestFinished(() => end.mockRestore())
  expect((await site.say('bea', sid, 'REJECTED')).status).toBe(500)
})

it('a review that cannot be tidied is told in the log, and a bug there ends the gateway', ({
  onTestFinished,
}) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const warnings: string[] = []
  let error: Error = new HistoryError('the disk is full')
  const repair = () => {
    throw error
  }
  const log = { warn: (_: object, message: string) => warnings.push(message) }
  const reviews = new Reviews({ runs: { repair }, log } as unknown as ConstructorParameters<
    typeof Reviews
  >[0])
  expect(warnings).toEqual(['cleanup of reviews failed; will retry'])
  vi.advanceTimersByTime(15_000)
  expect(warnings).toHaveLength(2)
  error = new TypeError('a bug')
  expect(() => vi.advanceTimersByTime(15_000)).toThrow('a bug')
  expect(warnings).toHaveLength(2)
  reviews.close()
  expect(vi.getTimerCount()).toBe(0)
})
