import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ReviewSite, type Name } from './site.ts'

// What a review says that its reader may do about it, and that just this is accepted.

let site: ReviewSite
beforeAll(async () => {
  site = await ReviewSite.start()
})
afterAll(() => site[Symbol.asyncDispose]())

/** @returns the names of what this user may do */
async function possible(name: Name, sid: string): Promise<string[]> {
  const { body } = await site.as(name, 'GET', `/api/reviews/${sid}`)
  const can = body['can'] as Readonly<Record<string, boolean>>
  return Object.keys(can).filter((one) => can[one] === true)
}

describe('a review', () => {
  it('tells each reader what they may do, before the decision and after it', async () => {
    const sid = await site.ask('echo asked')
    const before = { bea: ['approve', 'reject'], dan: ['approve', 'reject'], eve: ['force', 'reject'] }
    const others = { ann: ['reject', 'withdraw'], admin: ['reject'], fay: [] }
    for (const [name, can] of Object.entries({ ...before, ...others }))
      expect([name, await possible(name as Name, sid)]).toEqual([name, can])
    await site.say('bea', sid, 'APPROVED')
    const after = { bea: ['revoke'], cid: ['revoke'], eve: ['revoke'], ann: ['revoke', 'withdraw'], fay: [] }
    for (const [name, can] of Object.entries(after))
      expect([name, await possible(name as Name, sid)]).toEqual([name, can])
  })

  it('offers nobody in the approving group their own request, unless the connection lets them', async () => {
    const theirs = await site.ask('echo own', 'one', {}, 'bea')
    expect(await possible('bea', theirs)).toEqual(['reject', 'withdraw'])
    expect((await site.say('bea', theirs, 'APPROVED')).status).toBe(400)
    const allowed = await site.ask('echo own', 'own', {}, 'bea')
    expect(await possible('bea', allowed)).toEqual(['approve', 'reject', 'withdraw'])
    expect((await site.say('bea', allowed, 'APPROVED')).status).toBe(200)
  })

  it('offers one approval of each group, not a second one', async () => {
    const sid = await site.ask('echo both', 'both')
    await site.say('bea', sid, 'APPROVED')
    expect(await possible('bea', sid)).toEqual(['reject'])
    expect((await site.say('bea', sid, 'APPROVED')).body['code']).toBe('review-wrong-state')
    expect(await possible('cid', sid)).toEqual(['approve', 'reject'])
    const list = (await site.as('cid', 'GET', '/api/reviews')).body as unknown as {
      session: string
      can: { approve: boolean }
    }[]
    expect(list.find(({ session }) => session === sid)?.can.approve).toBe(true)
  })
})

it('one of two decisions at the same moment is accepted, and the other one is told that it is too late', async () => {
  const says = [
    ['bea', 'APPROVED'],
    ['cid', 'REJECTED'],
    ['dan', 'APPROVED'],
    ['admin', 'REJECTED'],
  ] as const
  for (const first of says.keys()) {
    const sid = await site.ask('echo raced')
    const turn = [...says.slice(first), ...says.slice(0, first)]
    const answers = await Promise.all(turn.map(([name, status]) => site.say(name, sid, status)))
    const accepted = answers.filter(({ status }) => status === 200)
    expect(accepted).toHaveLength(1)
    const refused = answers.filter(({ status }) => status !== 200)
    expect(refused.map(({ status, body }) => [status, body['message']])).toEqual(
      Array.from({ length: 3 }, () => [400, 'review is in wrong state']),
    )
    const { body } = await site.as('admin', 'GET', `/api/reviews/${sid}`)
    expect(body['status']).toBe(accepted[0]?.body['status'])
  }
})

it('an approved request runs or is revoked, and never both', async () => {
  for (const order of [0, 1]) {
    const sid = await site.ask('echo either')
    await site.say('bea', sid, 'APPROVED')
    const both = [() => site.run('ann', sid), () => site.say('cid', sid, 'REVOKED')]
    const answers = await Promise.all((order === 0 ? both : both.toReversed()).map((one) => one()))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  }
})
