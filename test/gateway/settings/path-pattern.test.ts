import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PathPattern } from '../../../src/gateway/settings/words.ts'

const PRINTABLE = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(0x20 + at))
const LITERALS = PRINTABLE.filter((one) => one !== '*' && one !== '\\')
const more = ['é', 'ß', 'ﬃ', '𝒳', '日', '\u{1f600}', '\u200d']

const isFor = (pattern: string, file: string) => PathPattern.from(pattern)?.isFor(file)
const literal = fc
  .array(fc.constantFrom(...LITERALS, ...more), { minLength: 1, maxLength: 40 })
  .map((characters) => characters.join(''))
  .filter((text) => !text.startsWith('/'))

it('a character other than a star stands for itself, and for nothing else', () => {
  for (const one of LITERALS)
    for (const other of PRINTABLE)
      expect(isFor(`a${one}b`, `a${other}b`), `${one} ${other}`).toBe(one === other)
})

it('a pattern without a star is for the file of this name alone', () => {
  fc.assert(
    fc.property(literal, literal, (pattern, file) => {
      expect(isFor(pattern, pattern)).toBe(true)
      expect(isFor(pattern, file)).toBe(file === pattern)
      expect(isFor(pattern, `${pattern}x`)).toBe(false)
      expect(isFor(pattern, `x${pattern}`)).toBe(false)
    }),
  )
})

it('one star stands for anything but a slash, two for anything, beside any characters', () => {
  fc.assert(
    fc.property(literal, literal, literal, (before, between, after) => {
      const file = `${before}${between}${after}`
      expect(isFor(`${before}**${after}`, file)).toBe(true)
      expect(isFor(`${before}*${after}`, `${before}${between.replaceAll('/', '')}${after}`)).toBe(true)
      expect(isFor(`${before.replaceAll('/', '')}*`, file)).toBe(!file.includes('/'))
    }),
  )
})

it.each([
  ['infra/long-*', 'infra/long-run.sh', true],
  ['infra/long-*', 'infra/long-/run.sh', false],
  ['ops/**', 'ops/.hidden/a.sh', true],
  ['ops/**', 'ops', false],
  ['**/drop.sh', 'drop.sh', false],
  ['*.sh', '.sh', true],
  ['*', 'a\nb', true],
])('%s and %s: %s', (pattern, file, expected) => {
  expect(isFor(pattern, file)).toBe(expected)
})

it('a pattern made to be slow is decided as any other: no file is tried more than once for a place', () => {
  const hostile = `${'*a'.repeat(499)}b`
  expect(isFor(hostile, 'a'.repeat(4096))).toBe(false)
  expect(isFor(hostile, `${'a'.repeat(4095)}b`)).toBe(true)
  expect(PathPattern.from('a'.repeat(1001))).toBeUndefined()
})

it.each(['/a', 'a\\b', '', 'a\nb'])('%j is no path inside a repository', (text) => {
  expect(PathPattern.from(text)).toBeUndefined()
})

it('a line break in the name of a file hides it from no pattern', () => {
  expect(['infra/**', 'infra/*', '**.sh'].map((pattern) => isFor(pattern, 'infra/a\nb.sh'))).toEqual([
    true,
    true,
    true,
  ])
})
