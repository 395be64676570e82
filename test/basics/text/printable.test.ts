import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printableJson } from '../../../src/basics/text/printable.ts'

describe('JSON for a terminal', () => {
  it.each([
    ['a C1 control', '\u009b2J', String.raw`"\u009b2J"`],
    ['a delete', '\u007f', String.raw`"\u007f"`],
    ['what turns the text around', 'a\u202eb', String.raw`"a\u202eb"`],
    ['the ends of lines and paragraphs', '\u2028\u2029', String.raw`"\u2028\u2029"`],
    ['a mark that nobody sees', '\ufeff\u00ad', String.raw`"\ufeff\u00ad"`],
    ['a tag beyond U+FFFF, as a pair', '\u{e0041}', String.raw`"\udb40\udc41"`],
  ])('escapes %s', (_, text, expected) => expect(printableJson(text)).toBe(expected))

  it('leaves text as it is', () => expect(printableJson('grüße, 雛 \u{1f600}')).toBe('"grüße, 雛 \u{1f600}"'))

  it('shows nothing that a terminal obeys, and says the same', () => {
    fc.assert(
      fc.property(fc.dictionary(text, fc.array(text)), (value) => {
        const shown = printableJson(value)
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

const obeyed = fc.constantFrom(
  '\u001b',
  '\u009b',
  '\u00ad',
  '\u200f',
  '\u202e',
  '\u2028',
  '\u2029',
  '\u{e0001}',
)
const text = fc.string({ unit: fc.oneof(fc.string({ unit: 'binary', maxLength: 1 }), obeyed) })
