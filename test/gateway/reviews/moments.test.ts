import { afterAll, beforeAll, expect, it } from 'vitest'
import { ReviewSite } from './site.ts'

// When a session was asked for, approved, began and ended.

let site: ReviewSite
beforeAll(async () => {
  site = await ReviewSite.start({
    connections: `
  - { name: away, agent: elsewhere, command: [bash], review: { groups: [dba], self-approval: true } }`,
    agents: '{ name: elsewhere, key: xagt-another-key-0123456789 }',
  })
})
afterAll(() => site[Symbol.asyncDispose]())

const at = (time: unknown) => (typeof time === 'string' ? Date.parse(time) : NaN)

async function momentsOf(sid: string): Promise<readonly unknown[]> {
  const { start_date: asked, approved_at: approved, began_at: began, end_date: end } = await site.session(sid)
  return [asked, approved, began, end]
}

it('an approved run keeps each moment with its own time, and its output is dated from the run', async () => {
  const sid = await site.ask('echo out')
  const asked = await momentsOf(sid)
  expect(asked).toEqual([expect.any(String), null, null, null])
  await site.say('bea', sid, 'APPROVED')
  const [, approvedAt] = await momentsOf(sid)
  expect(await momentsOf(sid)).toEqual([asked[0], expect.any(String), null, null])
  const beforeRun = Date.now()
  await site.run('ann', sid)
  const [start, approved, began, end] = await momentsOf(sid)
  expect([start, approved]).toEqual([asked[0], approvedAt])
  expect(at(approved)).toBeGreaterThanOrEqual(at(start))
  expect(at(began)).toBeGreaterThanOrEqual(beforeRun)
  expect(at(end)).toBeGreaterThanOrEqual(at(began))
  const { body } = await site.as('ann', 'GET', `/api/sessions/${sid}/output`)
  const times = (body['events'] as { time: string }[]).map(({ time }) => at(time))
  expect(times).not.toEqual([])
  for (const time of times) expect(time).toBeGreaterThanOrEqual(at(began))
  const listed = (await site.as('ann', 'GET', '/api/sessions?limit=1')).body['data']
  expect(listed).toMatchObject([{ id: sid, approved_at: approved, began_at: began }])
})

it('a session that no agent ran has no beginning, and its end without approval is dated when it came', async () => {
  const away = await site.ask('echo never', 'away')
  await site.say('bea', away, 'APPROVED')
  await site.run('ann', away)
  expect(await momentsOf(away)).toEqual([expect.any(String), expect.any(String), null, expect.any(String)])
  const rejected = await site.ask('echo never')
  const beforeDecision = Date.now()
  await site.say('bea', rejected, 'REJECTED')
  expect(await momentsOf(rejected)).toEqual([expect.any(String), null, null, expect.any(String)])
  const { body } = await site.as('ann', 'GET', `/api/sessions/${rejected}/output`)
  const [event] = body['events'] as { time: string }[]
  expect(at(event?.time)).toBeGreaterThanOrEqual(beforeDecision)
})
