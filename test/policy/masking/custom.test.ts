import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import { customRecognizers, folded, isWordRune } from '../../../src/policy/masking/custom.ts'
import { subjectOf } from '../../../src/policy/masking/subject.ts'
import { done } from '../../../src/policy/work.ts'

/** Where the pattern matches from a place of the text on, as pairs of offsets. */
function matches(regex: string, text: string, from: number): [number, number][] {
  const [recognizer] = done(customRecognizers([{ name: 'T', regex, denyList: [], score: 1 }]))
  const found: [number, number][] = []
  for (const { find } of recognizer?.patterns ?? [])
    Array.from(find(subjectOf(Buffer.from(text)), from, (...place) => void found.push(place)) ?? [])
  return found
}

// A long line is looked through in windows, and the next one begins behind the last match of the one before.
it.each([
  ['the character before a place belongs to a match that begins there', String.raw`\Wyz`, ' yz', 1, [[1, 3]]],
  ['the one before that does not: its match would hide the next', 'xy|yz', 'xyz', 2, [[2, 3]]],
  ['the beginning has none before it', '^ab', 'ab', 0, [[0, 2]]],
])('%s', (_, regex, text, from, expected) => {
  expect(matches(regex, text, from)).toEqual(expected)
})

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

describe('a recognizer of custom types', () => {
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
})
