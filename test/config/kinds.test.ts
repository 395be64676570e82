import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as v from 'valibot'
import { SETTINGS } from '../../src/config/table.ts'

function drain(text: string): number | undefined {
  const { success, output } = v.safeParse(SETTINGS.drain.kind, text)
  return success ? output : undefined
}

test.each([
  ['0ms', 0],
  ['24d', 2_073_600_000],
  ['25d', undefined],
  ['999999999d', undefined],
  ['0', undefined],
])('the duration %j is %s milliseconds', (text, milliseconds) => {
  expect(drain(text)).toBe(milliseconds)
})

test('a duration of any text is undefined or fits a timer', () => {
  const text = fc
    .tuple(fc.nat(), fc.constantFrom('ms', 's', 'm', 'h', 'd', ''))
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (written) => {
      const milliseconds = drain(written) ?? 0
      expect(milliseconds >= 0 && milliseconds < 2 ** 31).toBe(true)
    }),
  )
})
