import { expect, it } from 'vitest'
import { askedMoment } from '../../../src/commands/client/input.ts'

const now = Date.parse('2026-03-01T12:00:00Z')

it.each([
  ['2h', '2026-03-01T10:00:00.000Z'],
  ['7d', '2026-02-22T12:00:00.000Z'],
  ['2026-02-28T14:30:00Z', '2026-02-28T14:30:00.000Z'],
  ['2026-02-28 14:30+02:00', '2026-02-28T12:30:00.000Z'],
  ['2026-02-28T14:30:00.5Z', '2026-02-28T14:30:00.500Z'],
])('--since %s is %s', (text, expected) => {
  expect(askedMoment(text, '--since', now).toISOString()).toBe(expected)
})

it('a time without a zone is of this machine', () => {
  expect(askedMoment('2026-02-28', '--since', now)).toEqual(new Date(2026, 1, 28))
  expect(askedMoment('2026-02-28T14:30', '--since', now)).toEqual(new Date(2026, 1, 28, 14, 30))
})

it.each(['', 'soon', '2h30m', '2026-02-30', '2026-13-01', '2026-02-28T25:00', '1', '-2h', '999999999d'])(
  '--since %j is no time',
  (text) => {
    expect(() => askedMoment(text, '--since', now)).toThrow(
      /^the value of --since is a time such as 2h, 7d, 2026-01-31/,
    )
  },
)
