import { describe, expect, it } from 'vitest'
import { Locks, obstacleText, type LockTurn } from '../../../src/gateway/locks/locks.ts'

/** Sessions of one user, and which of them run. */
function crowd() {
  const locks = new Locks()
  const running: string[] = []
  const enter = (sid: string, ...names: string[]): LockTurn => {
    const turn = locks.enter({ sid, user: 'ann' }, names)
    void turn.reached.then(() => running.push(sid))
    return turn
  }
  const settled = async () => {
    await Promise.resolve()
    return running.splice(0)
  }
  return { locks, enter, settled }
}

describe('a lock', () => {
  it('lets sessions run one at a time, in their order', async () => {
    const { enter, settled } = crowd()
    const [first, second] = [enter('1', 'a'), enter('2', 'a')]
    enter('3', 'a')
    enter('4', 'b')
    expect(await settled()).toEqual(['1', '4'])
    first.leave()
    expect(await settled()).toEqual(['2'])
    second.leave()
    expect(await settled()).toEqual(['3'])
  })

  it('says who has it since when, and how many are before', () => {
    const { enter } = crowd()
    enter('1', 'a')
    enter('2', 'a')
    const obstacle = enter('3', 'a').obstacle()
    expect(obstacle).toMatchObject({ lock: 'a', holder: { sid: '1', user: 'ann' }, ahead: 1 })
    expect(obstacle && obstacleText(obstacle)).toMatch(
      /^lock a is held by session 1 of ann since 20\d\d-.*Z; sessions ahead in the queue: 1$/,
    )
  })

  it('says for whom it is kept when it is free', () => {
    const { enter } = crowd()
    enter('1', 'a')
    enter('2', 'a', 'b')
    const obstacle = enter('3', 'b').obstacle()
    expect(obstacle && obstacleText(obstacle)).toBe('lock b is free; sessions ahead in the queue: 1')
  })
})

it('one that leaves while it waits lets the others through', async () => {
  const { enter, settled } = crowd()
  const first = enter('1', 'a')
  const second = enter('2', 'a')
  enter('3', 'a')
  await settled()
  second.leave()
  expect(await settled()).toEqual([])
  first.leave()
  expect(await settled()).toEqual(['3'])
  first.leave()
  expect(await settled()).toEqual([])
})

it('who needs two locks waits for both, holds none meanwhile, and is not overtaken', async () => {
  const { locks, enter, settled } = crowd()
  const [a, b] = [enter('1', 'a'), enter('2', 'b')]
  const both = enter('3', 'a', 'b')
  enter('4', 'b')
  await settled()
  b.leave()
  expect(await settled()).toEqual([])
  expect(locks.holder('b')).toBeUndefined()
  a.leave()
  expect(await settled()).toEqual(['3'])
  both.leave()
  expect(await settled()).toEqual(['4'])
})

it('a hundred wait for a lock, fifty of one user, and no more', () => {
  const { locks } = crowd()
  const enter = (sid: number, user: string) => locks.enter({ sid: String(sid), user }, ['a'])
  for (let sid = 0; sid < 50; sid++) enter(sid, 'ann')
  locks.checkRoom(['a'], 'ann')
  enter(50, 'ann')
  expect(() => locks.checkRoom(['b', 'a'], 'ann')).toThrow(
    /^too many sessions of ann wait for the lock \(limit 50\): lock a is held by session 0 of ann since /,
  )
  locks.checkRoom(['b', 'a'], 'bob')
  for (let sid = 51; sid < 101; sid++) enter(sid, sid % 2 === 0 ? 'bob' : 'cid')
  expect(() => locks.checkRoom(['b', 'a'], 'dan')).toThrow(
    /^too many sessions wait for the lock \(limit 100\): lock a is held by session 0 of ann since /,
  )
  locks.checkRoom(['b'], 'ann')
})
