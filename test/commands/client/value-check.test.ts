import { describe, expect, it } from 'vitest'
import type { Parameter } from '../../../src/client/rest/runbooks.ts'
import { checkValue } from '../../../src/commands/client/run/ask.ts'

const text: Parameter = {
  ...{ name: 'p', type: 'text', required: false, default: undefined, description: '', placeholder: '' },
  ...{ options: [], pattern: undefined, minLength: undefined, maxLength: undefined },
}

describe('a value that is typed', () => {
  it.each([
    ['number', ['1', '-2.5', '1e3', '.5'], ['one', '1,5', '0x10', 'NaN']],
    ['date', ['2026-01-31'], ['2026-02-30', '31.1.2026', '2026-1-1']],
    ['time', ['14:30', '00:00:59'], ['24:00', '9:30', '12:60']],
    ['url', ['https://example.com/x'], ['example.com', '/x']],
    ['email', ['ada@example.test'], ['ada', 'a b@c', '@']],
    ['tel', ['+1 555', 'anything'], []],
    ['textarea', ['x'], []],
  ])('of type %s', (type, good, bad) => {
    for (const value of good) expect([value, checkValue({ ...text, type }, value)]).toEqual([value, true])
    for (const value of bad)
      expect([value, checkValue({ ...text, type }, value)]).toEqual([value, expect.any(String)])
  })

  it('is checked for its length in characters, its pattern by the rules of Go, and for being there', () => {
    expect(checkValue({ ...text, minLength: 2 }, '\u{1f600}')).toBe('the value needs at least 2 characters')
    expect(checkValue({ ...text, maxLength: 1 }, '\u{1f600}')).toBe(true)
    expect(checkValue({ ...text, pattern: '(?i)^AB\\z' }, 'ab')).toBe(true)
    expect(checkValue({ ...text, pattern: '^[0-9]+$' }, 'x')).toBe('the value has to match ^[0-9]+$')
    expect(checkValue({ ...text, pattern: 'b' }, 'abc')).toBe(true)
    expect(checkValue({ ...text, required: true }, '')).toBe('the value may not be empty')
    expect(checkValue({ ...text, type: 'number', pattern: 'x', minLength: 3 }, '')).toBe(true)
  })

  it('is left to the gateway where the pattern is none, and takes no longer for one that is meant to', () => {
    expect(checkValue({ ...text, pattern: '(' }, 'x')).toBe(true)
    expect(checkValue({ ...text, pattern: '^(a+)+$' }, `${'a'.repeat(40)}b`)).toMatch(
      /^the value has to match/,
    )
  })
})
