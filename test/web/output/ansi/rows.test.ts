import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RowReader } from '../../../../web/src/output/ansi/rows.ts'
import { textOfRow, type Row } from '../../../../web/src/output/ansi/row.ts'
import { classesOf } from '../../../../web/src/output/ansi/style.ts'

const ESC = '\u001b'

function rowsOf(...pieces: string[]): Row[] {
  const reader = new RowReader()
  for (const piece of pieces) reader.feed(piece)
  return reader.end()
}

/** Each row as `text` or `[classes]text` of each of its spans. */
function drawn(...pieces: string[]): string[] {
  return rowsOf(...pieces).map((row) =>
    typeof row === 'string'
      ? row
      : row.map(({ text, style }) => (style === 0 ? text : `[${classesOf(style)}]${text}`)).join(''),
  )
}

const terminal = fc.array(
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      '\n',
      '\r',
      '\b',
      '\t',
      `${ESC}[`,
      `${ESC}]8;;`,
      `${ESC}\\`,
      '31m',
      '2K',
      '5D',
      ESC,
      '\u0007',
    ),
  ),
  { maxLength: 60 },
)

describe('RowReader', () => {
  it('keeps plain text as it is, a row for each line', () => {
    expect(rowsOf('one\ntwo\r\n\nfour')).toEqual(['one', 'two', '', 'four'])
  })

  it('obeys colours, also of the 256 and of all, by the nearest of sixteen', () => {
    expect(drawn(`${ESC}[31mred${ESC}[0m plain ${ESC}[1;92mgood${ESC}[39;22m.`)).toEqual([
      '[colour-1]red plain [is-bold colour-10]good.',
    ])
    expect(drawn(`${ESC}[38;5;196ma${ESC}[38;2;0;0;255mb${ESC}[48;5;1mc`)).toEqual([
      '[colour-9]a[colour-12]b[on-1]c',
    ])
  })

  it('shows what a progress bar has come to', () => {
    expect(rowsOf('10%\r50%\r100% done\n')).toEqual(['100% done'])
    expect(rowsOf(`working...\r${ESC}[Kok\n`)).toEqual(['ok'])
    expect(rowsOf('abc\b\bX\n')).toEqual(['aXc'])
  })

  it('writes over single columns, and keeps the looks of the others', () => {
    expect(drawn(`a${ESC}[31mbc${ESC}[32mde\r${ESC}[0mXY${ESC}[3GZ${ESC}[K`)).toEqual(['XYZ'])
    expect(drawn(`${ESC}[31mabc${ESC}[32mde\b\b\b${ESC}[0mX`)).toEqual(['[colour-1]abX[colour-2]de'])
    expect(drawn(`abc\b${ESC}[K${ESC}[31mde`)).toEqual(['ab[colour-1]de'])
  })

  it('is not held up by a colourful line that is written over again and again', () => {
    const colourful = Array.from({ length: 990 }, (_, index) => `${ESC}[3${1 + (index % 2)}mXY`).join('')
    const again = `\rA${ESC}[990CB\b`.repeat(600_000)
    expect(rowsOf(`${colourful}${again}\n`).map((row) => textOfRow(row).slice(0, 4))).toEqual(['AYXY'])
  }, 20_000)

  it('lets nothing outside its line be changed: no moves up, titles, links or clearing', () => {
    const tricks = [
      `${ESC}[2J${ESC}[H`,
      `${ESC}[5A`,
      `${ESC}]0;title\u0007`,
      `${ESC}]8;;https://evil.example${ESC}\\`,
      `${ESC}]52;c;aGk=\u0007`,
      `${ESC}c`,
      `${ESC}P1$r0m${ESC}\\`,
    ]
    expect(rowsOf(`first\n${tricks.join('')}second\n`)).toEqual(['first', 'second'])
  })

  it('ends a sequence that never ends with its line', () => {
    expect(rowsOf(`${ESC}]8;;https://evil.example and no end\nnext\n`)).toEqual(['', 'next'])
  })

  it('shows controls and what turns the direction of writing', () => {
    expect(drawn('a\u0000b\u0007\u202etxt.exe\u2066\u200f')).toEqual([
      'a[is-control]␀b[is-control]␇⟨U+202E⟩txt.exe[is-control]⟨U+2066⟩⟨U+200F⟩',
    ])
  })

  it('breaks a line that nobody could draw', () => {
    const rows = rowsOf('x'.repeat(5000))
    expect(rows.map((row) => textOfRow(row).length)).toEqual([2000, 2000, 1000])
  })

  it('tells stderr from stdout, whatever colours it has', () => {
    const reader = new RowReader()
    reader.feed('out ')
    reader.feed(`${ESC}[31merr${ESC}[0m`, 'stderr')
    reader.feed(' out')
    const [row = ''] = reader.end()
    expect(typeof row === 'string' ? row : row.map(({ text, style }) => [text, classesOf(style)])).toEqual([
      ['out ', ''],
      ['err', 'is-stderr colour-1'],
      [' out', ''],
    ])
  })

  it('marks what the gateway says', () => {
    const reader = new RowReader()
    reader.feed('out\n')
    reader.feed('killed\n', 'note')
    expect(reader.end()).toMatchObject(['out', [{ text: 'killed' }]])
  })

  it('makes the same of a text in whatever pieces it comes', () => {
    fc.assert(
      fc.property(terminal, fc.array(fc.nat(400), { maxLength: 8 }), (parts, cuts) => {
        const text = parts.join('')
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b),
          text.length,
        ]
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end))
        expect(drawn(...pieces).join('\n')).toBe(drawn(text).join('\n'))
      }),
    )
  })

  it('never lets a control or a turned direction through to the page', () => {
    fc.assert(
      fc.property(terminal, (parts) => {
        for (const row of rowsOf(parts.join('')))
          expect(textOfRow(row)).not.toMatch(/[^\P{Cc}\t]|[\u202a-\u202e\u2066-\u2069\u200e\u200f]/u)
      }),
    )
  })
})
