import { expect, test } from 'vitest'
import { formatGoDuration, parseGoDuration } from '../../../src/golang/text/duration.ts'

test.each([
  ['5s', 5000],
  ['1.5s', 1500],
  ['.5m', 30_000],
  ['1h2m3s4ms', 3_723_004],
  ['1000us', 1],
  ['1000µs', 1],
  ['1000μs', 1],
  ['1000000ns', 1],
  ['-2s', -2000],
  ['+2s', 2000],
  ['0', 0],
  ['', undefined],
  ['5', undefined],
  ['s', undefined],
  ['5 s', undefined],
  ['1d', undefined],
  ['1s1', undefined],
])('%j is read as Go reads it', (text, ms) => {
  expect(parseGoDuration(text)).toBe(ms)
})

test.each([
  [5000, '5s'],
  [1001, '1.001s'],
  [90_000, '1m30s'],
  [7_200_000, '2h0m0s'],
])('%i ms is printed as %s, as Go prints it', (ms, text) => {
  expect(formatGoDuration(ms)).toBe(text)
})
