import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDuration, parseSize } from '../../src/config/units.ts'

test.each([
  ['0ms', 0],
  ['500ms', 500],
  ['10s', 10_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['24d', 2_073_600_000],
  ['25d', undefined],
  ['999999999d', undefined],
  ['0', undefined],
  ['10', undefined],
  ['10 s', undefined],
  ['-1s', undefined],
  ['1.5s', undefined],
  ['1S', undefined],
  ['', undefined],
])('the duration %j is %s milliseconds', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds)
})

test.each([
  ['0', 0],
  ['0B', 0],
  ['100B', 100],
  ['512KiB', 524_288],
  ['10MiB', 10_485_760],
  ['1GiB', 1_073_741_824],
  ['999999999GiB', undefined],
  ['10', undefined],
  ['10MB', undefined],
  ['1e3B', undefined],
  ['', undefined],
])('the size %j is %s bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test('a duration of any text is undefined or fits a timer', () => {
  const text = fc
    .tuple(fc.nat(), fc.constantFrom('ms', 's', 'm', 'h', 'd', ''))
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (duration) => {
      const milliseconds = parseDuration(duration) ?? 0
      expect(milliseconds >= 0 && milliseconds < 2 ** 31).toBe(true)
    }),
  )
})
