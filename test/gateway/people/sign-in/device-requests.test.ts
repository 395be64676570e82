import { expect, it, vi } from 'vitest'
import { DeviceRequests, POLL_MS } from '../../../../src/gateway/people/sign-in/device-requests.ts'

it('no code is looked at for an address after ten wrong ones, and for others all are', () => {
  const requests = new DeviceRequests<string>()
  const { code } = requests.add('10.0.0.1', '')
  const typed = code.toLowerCase().replace('-', ' ')
  expect(requests.withCode(typed, '10.0.0.2')).toMatchObject({ code, from: '10.0.0.1' })
  for (let i = 0; i < 10; i++)
    expect(() => requests.withCode('BBBB-BBBB', '2001:db8::1')).toThrow(/the code is wrong/)
  expect(() => requests.withCode(code, '2001:db8::2')).toThrow(/too many wrong codes/)
  expect(requests.withCode(code, '2001:db8:1::1')).toMatchObject({ code })
})

it('the address with most requests loses its oldest when there are too many', () => {
  const requests = new DeviceRequests<string>()
  const { code } = requests.add('10.0.0.1', '')
  const filling = Array.from({ length: 999 }, (_, at) => requests.add(`10.1.${at % 200}.1`, ''))
  const { code: another } = requests.add('10.0.0.2', '')
  for (const one of [code, another]) expect(requests.withCode(one, '10.0.0.3')).toMatchObject({ code: one })
  const [first, ...others] = filling.map(({ code: filled }) => filled)
  expect(() => requests.withCode(first ?? '', '10.0.0.3')).toThrow(/the code is wrong/)
  for (const one of others) expect(requests.withCode(one, '10.0.0.3')).toMatchObject({ code: one })
})

it('a device is told once what was granted, and a request that is decided has no code any more', () => {
  const requests = new DeviceRequests<string>()
  const { code, secret } = requests.add('10.0.0.1', '')
  requests.decide(code, { granted: 'ann' })
  expect(() => requests.decide(code, 'refused')).toThrow(/has expired/)
  expect(() => requests.withCode(code, '10.0.0.1')).toThrow(/the code is wrong/)
  expect(requests.outcome(secret)).toBe('ann')
  expect(() => requests.outcome(secret)).toThrow(/the sign-in has ended/)
})

it('a request may be asked about again after half of the time that was told, and not before', ({
  onTestFinished,
}) => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const requests = new DeviceRequests<string>()
  const { secret } = requests.add('10.0.0.1', '')
  expect(requests.outcome(secret)).toBeUndefined()
  vi.advanceTimersByTime(POLL_MS / 2 - 1)
  expect(() => requests.outcome(secret)).toThrow(/too many requests/)
  vi.advanceTimersByTime(1)
  expect(requests.outcome(secret)).toBeUndefined()
})
