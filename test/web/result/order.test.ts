import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvOf, isFormula, tsvOf } from '../../../web/src/result/csv.ts'
import { momentIn, numberIn } from '../../../web/src/result/numbers.ts'
import { arranged, matcher } from '../../../web/src/result/order.ts'
import { finished, readTables } from '../../../web/src/result/read-result.ts'
import { TableBuilder, type Cell } from '../../../web/src/result/table.ts'

function tableOf(names: readonly string[], rows: readonly (readonly Cell[])[]) {
  const builder = new TableBuilder(names)
  for (const row of rows) builder.add(row)
  return builder.table()
}

const NO_FILTER = { text: '', columns: {} }

describe('order', () => {
  it('sorts numbers as numbers, and has what is none at the end both ways', () => {
    const table = tableOf(['n'], [['10'], ['9'], [null], ['-1'], ['1e3']])
    const sorted = (isDescending: boolean) =>
      [...finished(arranged(table, NO_FILTER, { column: 0, isDescending }))].map(
        (row) => table.rows[row]?.[0],
      )
    expect(sorted(false)).toEqual(['-1', '9', '10', '1e3', null])
    expect(sorted(true)).toEqual(['1e3', '10', '9', '-1', null])
  })

  it('sorts as an array does, and keeps rows of the same value in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 70 }), (values) => {
        const table = tableOf(
          ['n'],
          values.map((value) => [String(value)]),
        )
        const order = [...finished(arranged(table, NO_FILTER, { column: 0, isDescending: false }))]
        const expected = [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b)
        expect(order).toEqual(expected)
      }),
    )
  })

  it('filters by a text in any column and by conditions of columns', () => {
    const table = tableOf(
      ['id', 'state'],
      [
        ['5', 'paid'],
        ['50', 'open'],
        ['500', 'Paid'],
        [null, 'unpaid'],
      ],
    )
    const left = (text: string, columns: Record<number, string>) => [
      ...finished(arranged(table, { text, columns }, undefined)),
    ]
    expect(left('PAID', {})).toEqual([0, 2, 3])
    expect(left('', { 0: '>5' })).toEqual([1, 2])
    expect(left('', { 0: '<=50', 1: '=paid' })).toEqual([0])
    expect(left('null', {})).toEqual([3])
    expect(left('', { 1: '!=open' })).toEqual([0, 2, 3])
  })

  it('compares texts where a condition has no number', () => {
    expect(['2026-11-28', '2026-11-30', ''].map((cell) => matcher('>=2026-11-29')(cell))).toEqual([
      false,
      true,
      false,
    ])
  })
})

describe('CSV', () => {
  const cell = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom('=1+1', '@x', '-5', '+x', 'a,b', 'a"b', 'a\nb', ''),
  )

  it('is read back as it was, but for what a spreadsheet would calculate', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 6 }), (values) => {
        const rows = values.map(([a, b], index) => [String(index), a, b])
        const names = [{ name: 'id' }, { name: 'first' }, { name: 'second' }]
        const text = [...csvOf(names, rows)].join('')
        const parsed = parsedCsv(text)
        expect(parsed).toEqual([
          names.map(({ name }) => name),
          ...rows.map((row) => row.map((value) => (isFormula(value) ? `'${value}` : value))),
        ])
      }),
    )
  })

  it('never begins a value as a formula begins', () => {
    for (const value of ['=HYPERLINK("x")', '+cmd', '-cmd', '@SUM(1)', '\t=1', '\r=1']) {
      expect([...csvOf([{ name: 'a' }], [[value]])][1]).toMatch(/^"?'/)
    }
    expect([...csvOf([{ name: 'a' }], [['-1.5'], ['+3']])].slice(1)).toEqual(['-1.5\r\n', '+3\r\n'])
  })

  it('has NULL as nothing and an empty text as quotes', () => {
    expect([...csvOf([{ name: 'a' }, { name: 'b' }], [[null, '']])][1]).toBe(',""\r\n')
  })

  it('keeps cells apart on the clipboard', () => {
    expect(
      tsvOf([
        ['a\tb', null],
        ['c\nd', 'e'],
      ]),
    ).toBe('a b\t\nc d\te')
  })
})

/** What RFC 4180 says, written once more. */
function parsedCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  for (let at = 0; at < text.length;) {
    const [, quoted, plain = '', end = ''] =
      /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(text.slice(at)) ?? []
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain)
    at += (quoted === undefined ? plain.length : quoted.length + 2) + end.length
    if (end === '\r\n' && at < text.length) rows.push([])
    if (end === '') throw new Error(`no CSV at ${at}: ${text}`)
  }
  return rows
}

describe('readTables', () => {
  it('reads no table out of a text that has none, and never fails', () => {
    const piece = fc.constantFrom(
      ',',
      '\t',
      '|',
      '"',
      '\n',
      ' ',
      '+--+--+',
      '(1 row)',
      '[{',
      '"a":',
      '}]',
      '-[ RECORD 1 ]',
      'id',
      '7',
      '---+---',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, isCut) => {
        for (const { columns, rows } of finished(readTables(pieces.join(''), isCut)))
          for (const row of rows) expect(row.length).toBeLessThanOrEqual(columns.length)
      }),
    )
  })

  it('reads the tables of psql that it would draw', () => {
    const value = fc
      .string({ unit: fc.constantFrom('a', 'b', ' ', '|', '7', '.'), maxLength: 6 })
      .map((text) => text.trim())
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 8 }), (rows) => {
        const [table] = finished(readTables(drawnByPsql(['one', 'two'], rows)))
        // Where a bar is in doubt there is no table; where there is one, it is right.
        if (table !== undefined) expect(table.rows).toEqual(rows)
      }),
    )
  })
})

function drawnByPsql(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = names.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => ` ${cell.padEnd(widths[column] ?? 0)} `)
      .join('|')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width + 2)).join('+')
  return [line(names), rule, ...rows.map((row) => line(row)), `(${rows.length} rows)`, ''].join('\n')
}

describe('the reader of values', () => {
  it('knows numbers, and codes that are none', () => {
    expect(['1', '-1.5', '1e3', '.5', '12%'].map(numberIn)).toEqual([1, -1.5, 1000, 0.5, 12])
    expect(['007', '1,000', '', 'x', '1.2.3', null].map(numberIn)).toEqual(Array(6).fill(undefined))
  })

  it('knows moments as databases write them', () => {
    const noon = Date.UTC(2026, 10, 28, 12) / 1000
    const written = [
      '2026-11-28 12:00',
      '2026-11-28T12:00:00Z',
      '2026-11-28 13:00:00+01',
      '2026-11-28 13:00:00.000+01:00',
    ]
    expect(written.map(momentIn)).toEqual(written.map(() => noon))
    expect(momentIn('2026-11-28')).toBe(noon - 12 * 3600)
    expect(['2026', '28.11.2026', '2026-13-40', 'x'].map(momentIn)).toEqual(Array(4).fill(undefined))
  })
})
