import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeText } from '../../../../src/golang/text/byte-string.ts'
import { Words } from '../../../../src/policy/masking/words.ts'

const part = fc.oneof(
  fc.constantFrom(
    ' ',
    ', ',
    '-',
    '\n',
    'card',
    'E',
    '17',
    'é',
    'überweisung',
    '数据',
    '\u00a0',
    'x'.repeat(70),
  ),
  fc.constant(' one two three four five six seven'),
)

it('the words before each place of a text are those of the whole text, read in pieces and with leaps', () => {
  fc.assert(
    fc.property(fc.array(fc.array(part), { maxLength: 4 }), fc.array(fc.nat(400)), (lines, places) => {
      const words = new Words()
      let before = ''
      for (const line of lines.map((parts) => `${parts.join('')}\n`)) {
        words.next(encodeText(line), 0)
        for (const at of [...places, line.length].filter((at) => at <= line.length).sort((a, b) => a - b)) {
          const start = encodeText(line.slice(0, at)).length
          expect(words.before(start)).toEqual(lastWords(before + line, before.length + at))
        }
        before += line
      }
    }),
    { numRuns: 300 },
  )
})

it('words before the places of one long word are told without reading it anew for each', () => {
  const words = new Words()
  const text = `card ${'a'.repeat(1_000_000)}`
  words.next(text, 0)
  for (let at = 10; at < text.length; at += 10) words.before(at)
  expect(words.before(text.length)).toEqual(['card', ''])
})

/** Of the whole text: a word that the place cuts is none. */
function lastWords(text: string, place: number): string[] {
  const words = [...text.matchAll(/[\p{L}\p{Nd}\p{M}]+/gu)].filter(
    ({ index, 0: word }) => index + word.length <= place,
  )
  return words.slice(-5).map(({ 0: word }) => (encodeText(word).length > 64 ? '' : word.toLowerCase()))
}
