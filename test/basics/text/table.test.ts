import { describe, expect, it } from 'vitest'
import { itemTable, type ItemColumn } from '../../../src/basics/text/table.ts'

type Column = Omit<ItemColumn<never>, 'of' | 'short' | 'whole'>

/** A table of rows with a text per column. */
function textTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  const named = columns.map((column, at) => ({ ...column, of: (row: readonly string[]) => row[at] ?? '' }))
  return itemTable(named, rows, width)
}

const COLUMNS = [
  { heading: 'NAME', shrinks: true },
  { heading: 'STATE' },
  { heading: 'MORE', shrinks: true, leftOut: 2 },
  { heading: 'LEAST', leftOut: 1 },
]
const ROWS = [
  ['a-name-of-some-length', 'on', 'something else', '1'],
  ['b', 'off', '', '22'],
]

describe('a table', () => {
  it('has a line for each row below the heading, in columns', () => {
    expect(textTable(COLUMNS, ROWS, 80)).toBe(
      [
        'NAME                   STATE  MORE            LEAST',
        'a-name-of-some-length  on     something else  1',
        'b                      off                    22',
        '',
      ].join('\n'),
    )
  })

  it('shrinks columns first, leaves out the least important next, and fits every width it can', () => {
    for (let width = 13; width <= 60; width++)
      for (const line of textTable(COLUMNS, ROWS, width).split('\n'))
        expect(line.length).toBeLessThanOrEqual(width)
    const [heading, first] = textTable(COLUMNS, ROWS, 28).split('\n')
    expect([heading, first]).toEqual(['NAME    STATE  MORE    LEAST', 'a-nam~  on     somet~  1'])
    expect(textTable(COLUMNS, ROWS, 21).split('\n')[0]).toBe('NAME    STATE  MORE')
    expect(textTable(COLUMNS, ROWS, 13).split('\n')[1]).toBe('a-nam~  on')
  })

  it('shrinks what people type last: others are left out and shrunk before, the one at the right first', () => {
    const columns = COLUMNS.map((column) =>
      column.heading === 'NAME' ? { ...column, shrinks: 'last' as const } : column,
    )
    expect(textTable(columns, ROWS, 40).split('\n')[1]).toBe('a-name-of-some-length  on     something~')
    expect(textTable(columns, ROWS, 30).split('\n')[1]).toBe('a-name-of-some-length  on')
    expect(textTable(columns, ROWS, 13).split('\n')[1]).toBe('a-nam~  on')
    const two = [
      { heading: 'NAME', shrinks: 'last' },
      { heading: 'PATH', shrinks: 'last' },
    ] as const
    expect(textTable(two, [['a-name', 'ops/change.sh']], 15)).toBe('NAME    PATH\na-name  ops/ch~\n')
  })

  it('that is too wide takes the short texts of all rows before it shrinks a column', () => {
    const columns = [
      { heading: 'AT', of: (at: string) => `2026-${at}`, short: (at: string) => at },
      { heading: 'NAME', shrinks: true, of: () => 'a-name' },
    ]
    expect(itemTable(columns, ['01-31', '02-01'], 18)).toContain('2026-01-31  a-name\n2026-02-01')
    expect(itemTable(columns, ['01-31', '02-01'], 17)).toBe('AT     NAME\n01-31  a-name\n02-01  a-name\n')
  })

  it('keeps characters whole, and takes 10,000 rows', () => {
    expect(textTable(COLUMNS, [['\u{1f600}'.repeat(9), 'on', '', '']], 13)).toContain(
      `${'\u{1f600}'.repeat(5)}~`,
    )
    const many = Array.from({ length: 10_000 }, (_, at) => [`name-${at}`, 'on', '', ''])
    expect(textTable(COLUMNS, many, 40).trimEnd().split('\n')).toHaveLength(10_001)
    expect(textTable(COLUMNS, [], 40)).toBe('NAME  STATE  MORE  LEAST\n')
  })
})
