import { expect, it } from 'vitest'
import { DeviceRequests } from '../../../../src/gateway/people/sign-in/device-requests.ts'

it('after a hundred wrong codes no code is looked at, whoever asks: nobody finds one by trying', () => {
  const requests = new DeviceRequests<string>()
  const { code } = requests.add('10.0.0.1', '')
  expect(requests.withCode(code.toLowerCase().replace('-', ' '))).toMatchObject({ code, from: '10.0.0.1' })
  for (let i = 0; i < 100; i++) expect(() => requests.withCode('BBBB-BBBB')).toThrow(/there is no such code/)
  expect(() => requests.withCode(code)).toThrow(/too many wrong codes/)
})

it('is told once what was granted, and a request that is decided has no code any more', () => {
  const requests = new DeviceRequests<string>()
  const { code, secret } = requests.add('10.0.0.1', '')
  requests.decide(code, { granted: 'ann' })
  expect(() => requests.decide(code, 'refused')).toThrow(/the ten minutes are over/)
  expect(() => requests.withCode(code)).toThrow(/there is no such code/)
  expect(requests.outcome(secret)).toBe('ann')
  expect(() => requests.outcome(secret)).toThrow(/the sign-in is over/)
})
