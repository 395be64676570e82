import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { auditFacts } from '../../../../src/contract/audit-entry.ts'
import { Repeats, Shares } from '../../../../src/gateway/people/audit/audit-log.ts'

const TEN_MINUTES_MS = 600_000
const MOST = 10_000

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

it('a name has its share for ten minutes, and then a new one, with what was left out told once', () => {
  const shares = new Shares(2)
  expect([shares.take('ann'), shares.take('ann'), shares.take('ann')]).toEqual([true, true, false])
  for (let count = 0; count < 3; count++) shares.leaveOut('ann')
  expect(shares.take('bob')).toBe(true)
  vi.advanceTimersByTime(TEN_MINUTES_MS - 1)
  expect([...shares.over(false)]).toEqual([])
  expect(shares.take('ann')).toBe(false)
  vi.advanceTimersByTime(1)
  expect([...shares.over(false)]).toEqual([{ name: 'ann', entries: 3 }])
  expect([shares.take('ann'), shares.take('ann'), shares.take('ann')]).toEqual([true, true, false])
  shares.leaveOut('ann')
  expect([...shares.over(true)]).toEqual([{ name: 'ann', entries: 1 }])
  expect([...shares.over(true)]).toEqual([])
})

it('ten thousand names have a share each, and those that come later one together', () => {
  const shares = new Shares(1)
  const taken = Array.from({ length: MOST }, (_, name) => shares.take(`n${name}`))
  expect(taken.every(Boolean)).toBe(true)
  expect([shares.take('late'), shares.take('later')]).toEqual([true, false])
  shares.leaveOut('later')
  shares.leaveOut('n7')
  expect([...shares.over(true)]).toEqual([
    { name: 'n7', entries: 1 },
    { name: 'others', entries: 1 },
  ])
})

const view = (http_path: string) => auditFacts({ action: 'view', resource_type: 'sessions', http_path })

it('the same is new again after ten minutes, and what differs in one thing is new at once', () => {
  const repeats = new Repeats()
  expect([repeats.isNew(view('/a')), repeats.isNew(view('/a'))]).toEqual([true, false])
  for (const other of [
    ...[{ actor: 'ann' }, { action: 'download' as const }, { http_method: 'GET' }, { http_status: 200 }],
    ...[{ client_ip: '::1' }, { error_message: 'why' }],
  ])
    expect(repeats.isNew({ ...view('/a'), ...other })).toBe(true)
  vi.advanceTimersByTime(TEN_MINUTES_MS - 1)
  expect(repeats.isNew(view('/a'))).toBe(false)
  vi.advanceTimersByTime(1)
  expect([repeats.isNew(view('/a')), repeats.isNew(view('/a'))]).toEqual([true, false])
})

it('ten thousand things are known, and the one that was noted longest ago is forgotten first', () => {
  const repeats = new Repeats()
  for (let path = 0; path < MOST; path++) repeats.isNew(view(`/${path}`))
  expect(repeats.isNew(view('/0'))).toBe(false)
  expect(repeats.isNew(view('/one-more'))).toBe(true)
  expect([repeats.isNew(view('/1')), repeats.isNew(view('/0'))]).toEqual([false, true])
})
