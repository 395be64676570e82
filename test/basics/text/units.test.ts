import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDuration, parseSize } from '../../../src/basics/text/units.ts'

test.each([
  ['0s', 0],
  ['0ms', 0],
  ['500ms', 500],
  ['10s', 10_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['30d', 2_592_000_000],
  ['007s', 7000],
])('%s is a duration of %d ms', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds)
})

test.each([
  '',
  '0',
  '10',
  's',
  '-1s',
  '1.5s',
  '1h30m',
  '1 s',
  ' 1s',
  '1s\n',
  '1S',
  '1e3s',
  '1234567890d',
  '999999999d',
  '1w',
  '1MiB',
])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined()
})

test.each([
  ['0', 0],
  ['0B', 0],
  ['100B', 100],
  ['512KiB', 524_288],
  ['10MiB', 10_485_760],
  ['1GiB', 1_073_741_824],
])('%s is a size of %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test.each([
  '',
  '10',
  'B',
  '-1B',
  '1.5MiB',
  '1MB',
  '1kib',
  '1 B',
  '1B\n',
  '1s',
  '1constructor',
  '1e3B',
  '999999999GiB',
])('%j is no size', (text) => {
  expect(parseSize(text)).toBeUndefined()
})

test('a quantity of any text is undefined or a whole number that is exact', () => {
  const text = fc
    .tuple(fc.nat(), fc.constantFrom('ms', 's', 'm', 'h', 'd', 'B', 'KiB', 'GiB', ''))
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (quantity) => {
      for (const value of [parseDuration(quantity) ?? 0, parseSize(quantity) ?? 0])
        expect(Number.isSafeInteger(value) && value >= 0).toBe(true)
    }),
  )
})
