import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { History } from '../../../../src/gateway/history/history.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { HistoryError } from '../../../../src/gateway/store/errors.ts'
import { LastUses } from '../../../../src/gateway/people/identities/token-uses.ts'
import { Workplace } from '../../../support/sites/workplace.ts'

const MINUTE_MS = 60_000
const START = Date.parse('2026-11-28T10:00:00Z')

let place: Workplace
let history: History
let uses: LastUses
let warnings: string[]
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: START })
  place = new Workplace()
  history = openHistory(place.at('history.sqlite'))
  warnings = []
  uses = opened()
})
afterEach(() => {
  uses.close()
  history.close()
  vi.restoreAllMocks()
  vi.useRealTimers()
  place[Symbol.dispose]()
})

function opened(): LastUses {
  const none = () => undefined
  const warn = (_: object, message: string) => void warnings.push(message)
  return new LastUses(history, { debug: none, info: none, warn, error: none })
}

/** What the disk has. */
const written = () => new Map(history.read(({ tokens }) => [...tokens.uses()]))

it('a use is known at once, to the minute, and on the disk within a minute', () => {
  uses.note('t')
  expect([uses.of('t'), uses.of('other'), written().size]).toEqual([START, undefined, 0])
  vi.advanceTimersByTime(MINUTE_MS - 1)
  uses.note('t')
  expect([uses.of('t'), written().size]).toEqual([START, 0])
  vi.advanceTimersByTime(1)
  expect([...written()]).toEqual([['t', START]])
  uses.note('t')
  expect(uses.of('t')).toBe(START + MINUTE_MS)
  vi.setSystemTime(START - MINUTE_MS)
  uses.note('t')
  expect(uses.of('t')).toBe(START - MINUTE_MS)
})

it('what is on the disk is not written again, and nothing is where there was no use', () => {
  const write = vi.spyOn(history, 'write')
  vi.advanceTimersByTime(MINUTE_MS)
  expect(write).toHaveBeenCalledTimes(0)
  uses.note('t')
  vi.advanceTimersByTime(3 * MINUTE_MS)
  expect(write).toHaveBeenCalledTimes(1)
})

it('what cannot be written is told once, and written when it can be', () => {
  const fail = () =>
    vi.spyOn(history, 'write').mockImplementation(() => {
      throw new HistoryError('the disk is full')
    })
  const write = fail()
  uses.note('t')
  vi.advanceTimersByTime(3 * MINUTE_MS)
  expect([warnings.length, written().size]).toEqual([1, 0])
  write.mockRestore()
  vi.advanceTimersByTime(MINUTE_MS)
  expect([...written()]).toEqual([['t', START]])
  fail()
  uses.note('u')
  vi.advanceTimersByTime(MINUTE_MS)
  expect(warnings).toHaveLength(2)
})

it('a token that is gone is not written', () => {
  uses.note('t')
  uses.note('gone')
  uses.forget('gone')
  expect(uses.of('gone')).toBeUndefined()
  vi.advanceTimersByTime(MINUTE_MS)
  expect([...written().keys()]).toEqual(['t'])
})

it('the last uses outlive the gateway', () => {
  uses.note('t')
  uses.close()
  uses = opened()
  expect([uses.of('t'), uses.of('other')]).toEqual([START, undefined])
})
