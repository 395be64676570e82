import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  choicesFor,
  MAX_BYTES,
  MAX_LINES,
  readChoices,
} from '../../../../src/gateway/executions/choices/choice-list.ts'

const read = (text: string | Buffer) => readChoices(Buffer.from(text as string))
const values = (text: string) => read(text).map(({ value }) => value)

describe('the output of a list', () => {
  it('has a value, a label and a value of another parameter on each line', () => {
    expect(read('a\tAcme\teu\nb\tB Corp\nc\n')).toEqual([
      { value: 'a', label: 'Acme', of: 'eu' },
      { value: 'b', label: 'B Corp', of: '' },
      { value: 'c', label: 'c', of: '' },
    ])
    expect(read('')).toEqual([])
  })

  it('keeps the first of equal lines, and lines of other values of the other parameter', () => {
    expect(read('a\tone\teu\na\ttwo\teu\na\tthree\tus\n').map(({ label }) => label)).toEqual(['one', 'three'])
  })

  it('may have lines that end with CR, and empty lines', () => {
    expect(values('a\r\n\r\n\n\tno value\nb\r\n')).toEqual(['a', 'b'])
  })

  it('may have HTML, which stays text', () => {
    expect(read('<b>a</b>\t<script>alert(1)</script>')).toEqual([
      { value: '<b>a</b>', label: '<script>alert(1)</script>', of: '' },
    ])
  })

  it.each([
    ['a NUL', 'a\0b', 'line 1 has a control character'],
    ['a CR within a value', 'ok\na\rb', 'line 2 has a control character'],
    ['an escape', '\x1b[31mred', 'line 1 has a control character'],
    ['a line separator', 'a\u2028b', 'line 1 has a control character'],
    ['a character that reverses text', 'a\u202eb', 'line 1 has a control character'],
    ['a character without a width', 'a\u200bb', 'line 1 has a control character'],
    ['a control character in the third column', 'a\tb\tc\x07', 'line 1 has a control character'],
    ['four columns', 'a\tb\tc\td', 'line 1 has more than 3 columns'],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0xff]), 'is not UTF-8'],
    ['too many lines', 'x\n'.repeat(MAX_LINES + 1), `more than ${MAX_LINES} lines`],
    ['too many bytes', 'x'.repeat(MAX_BYTES + 1), 'more than 256 KiB'],
  ])('is refused as a whole with %s', (_, output, problem) => {
    expect(() => read(output)).toThrow(problem)
  })

  it('may be as large as the limits', () => {
    expect(read('x\n'.repeat(MAX_LINES))).toHaveLength(1)
    expect(values('y'.repeat(MAX_BYTES))).toHaveLength(1)
  })

  it('shows control characters of a label as spaces', () => {
    expect(read('a\tA\x1b[31m\u0085B')).toEqual([{ value: 'a', label: 'A [31m B', of: '' }])
  })

  it('is read back as it was written, for any texts', () => {
    const word = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((one) => !/[\p{Cc}\p{Zl}\p{Zp}\ufeff]/u.test(one))
    const label = word.filter((one) => one.trim() === one)
    fc.assert(
      fc.property(fc.array(fc.tuple(word, label, word)), (rows) => {
        const choices = read(rows.map((row) => `${row.join('\t')}\n`).join(''))
        const first = new Map(rows.toReversed().map((row) => [JSON.stringify([row[0], row[2]]), row]))
        expect(choices).toHaveLength(first.size)
        for (const { value, label: shown, of } of choices)
          expect(first.get(JSON.stringify([value, of]))).toEqual([value, shown, of])
      }),
      { numRuns: 500 },
    )
  })

  it('never has an unseen character in a value, whatever bytes it is made of', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        let choices
        try {
          choices = readChoices(Buffer.from(bytes))
        } catch {
          return
        }
        for (const { value, label, of } of choices) {
          expect(value).not.toBe('')
          expect(`${value}${label}${of}`).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the choices for a value of the other parameter', () => {
  it('are those whose third column is this value', () => {
    const choices = read('a\tA\teu\nb\tB\tus\nc\tC\n')
    expect(choicesFor(choices, 'eu').map(({ value }) => value)).toEqual(['a'])
    expect(choicesFor(choices, '').map(({ value }) => value)).toEqual(['c'])
    expect(choicesFor(choices, undefined)).toHaveLength(3)
    const twice = read('a\tA\teu\nb\tB\teu\na\tAgain\tus\n')
    expect(choicesFor(twice, undefined).map(({ label }) => label)).toEqual(['A', 'B'])
  })
})
