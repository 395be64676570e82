import { afterEach, expect, it, vi } from 'vitest'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'

afterEach(() => vi.useRealTimers())

const DAY_SECONDS = 24 * 3600
/** The gateway's time goes on while its clock is kept still. */
const SLACK_MS = 600_000

it.each([
  ['longer than the old token has', { overlap: DAY_SECONDS }, 3600],
  ['a day, which is longer than the old token has', {}, 3600],
  ['shorter than the old token has', { overlap: 1800 }, 1800],
])('an overlap that is %s never prolongs the old token', async (_, body, leftSeconds) => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  await using gateway = await RunningGateway.start()
  const { body: old } = await gateway.request('POST', '/api/tokens', { name: 'ci', expires_in: 3600 })
  const rotated = await gateway.request('POST', `/api/tokens/${String(old['id'])}/rotate`, body)
  expect(rotated.status).toBe(201)
  const { body: tokens } = await gateway.request('GET', '/api/tokens')
  const shown = (tokens as unknown as Record<string, unknown>[]).find(({ id }) => id === old['id'])
  const expiresAt = Date.parse(String(old['created_at'])) + leftSeconds * 1000
  expect(Date.parse(String(shown?.['expires_at']))).toBeLessThanOrEqual(expiresAt + SLACK_MS)
  const statusOf = async (token: unknown) =>
    (await gateway.request('GET', '/api/userinfo', undefined, { authorization: `Bearer ${String(token)}` }))
      .status
  expect([await statusOf(old['token']), await statusOf(rotated.body['token'])]).toEqual([200, 200])
  vi.setSystemTime(expiresAt + SLACK_MS)
  expect(await statusOf(old['token'])).toBe(401)
})
