import { expect, it } from 'vitest'
import { LongWork } from '../../src/gateway/long-work.ts'

it('one long work runs at a time, and users with waiting works take turns', async () => {
  const place = new LongWork()
  const begun: string[] = []
  let running = 0
  const work = (name: string) => async () => {
    expect(++running).toBe(1)
    begun.push(name)
    await Promise.resolve()
    running--
    return name
  }
  const asked = ['ann', 'ann', 'ann', 'bob', 'cid', 'bob'].map((user, at) =>
    place.run(user, work(`${user} ${at}`)),
  )
  expect(await Promise.all(asked)).toEqual(['ann 0', 'ann 1', 'ann 2', 'bob 3', 'cid 4', 'bob 5'])
  expect(begun).toEqual(['ann 0', 'ann 1', 'bob 3', 'cid 4', 'ann 2', 'bob 5'])
})

it('everything else of the process has its turn between two long works', async () => {
  const place = new LongWork()
  const order: string[] = []
  const first = place.run('ann', () => void setImmediate(() => order.push('other')))
  await Promise.all([first, place.run('ann', () => void order.push('work'))])
  expect(order).toEqual(['other', 'work'])
})

it('a user who has too many long works is refused, and others and later ones run', async () => {
  const place = new LongWork()
  const asked = Array.from({ length: 17 }, (_, at) => place.run('ann', () => at))
  await expect(asked.at(-1)).rejects.toMatchObject({ code: 'too-much-at-once' })
  expect(await place.run('bob', () => 'bob')).toBe('bob')
  await Promise.all(asked.slice(0, -1))
  expect(await place.run('ann', () => 'again')).toBe('again')
})

it('long works whose requests fill the memory are refused, and those of others and small ones run', async () => {
  const place = new LongWork()
  const large = (user: string) => place.run(user, () => user, 16 * 1024 * 1024)
  const asked = [large('ann'), large('ann'), ...['bob', 'bob', 'cid', 'cid', 'dan', 'dan'].map(large)]
  const refused = await Promise.allSettled([large('ann'), large('eve')])
  expect(refused.map((one) => one.status === 'rejected' && String(one.reason))).toEqual([
    expect.stringContaining('your searches'),
    expect.stringContaining('many searches'),
  ])
  expect(await Promise.all([place.run('ann', () => 1), place.run('eve', () => 2)])).toEqual([1, 2])
  await Promise.all(asked)
  expect(await large('ann')).toBe('ann')
})

it('a long work that has failed lets the next one run', async () => {
  const place = new LongWork()
  const failed = place.run('ann', () => Promise.reject(new Error('no')))
  const next = place.run('ann', () => 7)
  await expect(failed).rejects.toThrow('no')
  expect(await next).toBe(7)
})
