import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { LinkCodes } from '../../../../src/gateway/people/sign-in/one-time-codes.ts'
import { SignInRefused } from '../../../../src/gateway/refusals/request-refused.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

const ANN = { token: 'a token of ann', next: '/sessions' }

it('a link signs in once, for two minutes', () => {
  const links = new LinkCodes()
  const [first, second, third] = [links.add(ANN), links.add(ANN), links.add(ANN)]
  expect(links.take(first)).toMatchObject(ANN)
  expect(() => links.take(first)).toThrow(SignInRefused)
  expect(() => links.take('none')).toThrow(SignInRefused)
  vi.advanceTimersByTime(119_999)
  expect(links.take(second)).toMatchObject(ANN)
  vi.advanceTimersByTime(1)
  expect(() => links.take(third)).toThrow(SignInRefused)
})

it('the oldest links end when there are more than a hundred', () => {
  const links = new LinkCodes()
  const codes = Array.from({ length: 102 }, () => links.add(ANN))
  for (const code of codes.slice(0, 2)) expect(() => links.take(code)).toThrow(SignInRefused)
  for (const code of codes.slice(2)) expect(links.take(code)).toMatchObject(ANN)
})
