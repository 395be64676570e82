import { RE2JS } from 're2js'
import { expect, it } from 'vitest'
import { folded, isWordRune } from '../../../../src/policy/masking/custom.ts'

const CASES = [
  'Ää',
  'Åå\u212b',
  'Kk\u212a',
  'Ss\u017f',
  'Σσς',
  'Ωω\u2126',
  'Θθϑϴ',
  '\u1e9eß',
  'ǅǆǄ',
  'Ꭰꭰ',
  'Жж',
  '𐐀𐐨',
]

it.each(CASES)('folds %s as RE2 does without regard to case', (letters) => {
  const [first = ''] = letters
  for (const letter of letters) {
    expect(RE2JS.compile(`(?i)^${letter}$`).test(first)).toBe(true)
    expect(folded(letter.codePointAt(0) ?? 0)).toBe(folded(first.codePointAt(0) ?? 0))
  }
})

it.each(['ı', 'İ'])('keeps %s apart from i, as RE2 does', (letter) => {
  expect(RE2JS.compile(`(?i)^${letter}$`).test('i')).toBe(false)
  expect(folded(letter.codePointAt(0) ?? 0)).not.toBe(folded(0x69))
})

it('takes letters and digits of every script and _ for parts of words', () => {
  expect(Array.from('aé数٣_').map((letter) => isWordRune(letter.codePointAt(0) ?? 0))).not.toContain(false)
  expect(Array.from(' -.\n😀').map((letter) => isWordRune(letter.codePointAt(0) ?? 0))).not.toContain(true)
})
