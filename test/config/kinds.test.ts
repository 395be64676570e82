import fc from 'fast-check'
import { expect, test } from 'vitest'
import { durationKind } from '../../src/config/kinds.ts'

test.each([
  ['0ms', 0],
  ['24d', 2_073_600_000],
  ['25d', undefined],
  ['999999999d', undefined],
  ['0', undefined],
])('the duration %j is %s milliseconds', (text, milliseconds) => {
  expect(durationKind.parse(text)).toBe(milliseconds)
})

test('a duration of any text is undefined or fits a timer', () => {
  const text = fc
    .tuple(fc.nat(), fc.constantFrom('ms', 's', 'm', 'h', 'd', ''))
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (written) => {
      const milliseconds = durationKind.parse(written) ?? 0
      expect(milliseconds >= 0 && milliseconds < 2 ** 31).toBe(true)
    }),
  )
})
