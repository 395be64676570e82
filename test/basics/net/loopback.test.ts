import { expect, test } from 'vitest'
import { isLoopback } from '../../../src/basics/net/loopback.ts'

test.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost', 'LOCALHOST'])('%s is loopback', (host) => {
  expect(isLoopback(host)).toBe(true)
})

test.each([
  '0.0.0.0',
  '::',
  '128.0.0.1',
  '127.0.0.1.example.com',
  'localhost.example.com',
  '10.0.0.1',
  '127',
])('%s is not loopback', (host) => {
  expect(isLoopback(host)).toBe(false)
})
