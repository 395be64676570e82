import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chartData, MAX_LABELS } from '../../../web/src/result/chart-data.ts'
import { StdoutText } from '../../../web/src/result/stdout-text.ts'
import { TableBuilder, type Cell } from '../../../web/src/result/table.ts'

function tableOf(rows: readonly (readonly Cell[])[]) {
  const builder = new TableBuilder(['across', 'up'])
  for (const row of rows) builder.add(row)
  return builder.table()
}

describe('a chart', () => {
  it('draws numbers and moments in their order, whatever that of the rows is', () => {
    const numbers = chartData(
      tableOf([
        ['3', '30'],
        ['1', '10'],
        ['2', null],
      ]),
      0,
      1,
    )
    expect(numbers).toEqual({ kind: 'numbers', places: [1, 3], values: [10, 30], labels: [], leftOut: 1 })
    const days = chartData(
      tableOf([
        ['2026-11-28', '2'],
        ['2026-11-27', '1'],
      ]),
      0,
      1,
    )
    expect([days.kind, days.values]).toEqual(['moments', [1, 2]])
  })

  it('makes hidden characters of labels visible', () => {
    const { labels } = chartData(tableOf([['\u202egnp.exe', '1']]), 0, 1)
    expect(labels).toEqual(['⟨U+202E⟩gnp.exe'])
  })

  it('joins the rows of one day or one label by sum, count and average', () => {
    const days = tableOf([
      ['2026-11-28 23:59:59', '2'],
      ['2026-11-27 08:00:00', '1'],
      ['2026-11-28 00:00:00', '6'],
      ['2026-11-28 01:00:00', null],
    ])
    expect(chartData(days, 0, 1, 'sum', true).values).toEqual([1, 8])
    expect(chartData(days, 0, 1, 'average', true).values).toEqual([1, 4])
    expect(chartData(days, 0, 1, 'count', true)).toMatchObject({ values: [1, 3], leftOut: 0 })
    expect(chartData(days, 0, 1, 'sum').values).toEqual([1, 6, 2])
  })

  it('loses no row of any table when it counts, and no value when it adds', () => {
    const rows = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'NULL', ''), fc.option(fc.integer())))
    fc.assert(
      fc.property(rows, (given) => {
        const table = tableOf(given.map(([label, value]) => [label, value === null ? null : String(value)]))
        const total = (measure: 'sum' | 'count') =>
          chartData(table, 0, 1, measure).values.reduce<number>((sum, value) => sum + (value ?? 0), 0)
        expect(total('count') + chartData(table, 0, 1, 'count').leftOut).toBe(given.length)
        expect(total('sum')).toBe(given.reduce((sum, [, value]) => sum + (value ?? 0), 0))
      }),
    )
  })

  it('draws texts one beside the other, and rows by their number', () => {
    const table = tableOf([
      ['paid', '2'],
      ['open', '1'],
      [null, '3'],
    ])
    expect(chartData(table, 0, 1)).toMatchObject({
      kind: 'labels',
      places: [0, 1, 2],
      labels: ['paid', 'open', 'NULL'],
    })
    expect(chartData(table, -1, 1)).toMatchObject({ kind: 'numbers', places: [1, 2, 3], values: [2, 1, 3] })
  })

  it('says how many rows have found no room', () => {
    const table = tableOf(Array.from({ length: MAX_LABELS + 7 }, (_, index) => [`text ${index}`, '1']))
    expect(chartData(table, 0, 1).leftOut).toBe(7)
  })
})

function eventOf(text: string, stream?: string) {
  return {
    type: 'o',
    payload: Buffer.from(text).toString('base64'),
    place: '1',
    ...(stream !== undefined && { stream }),
  }
}

describe('StdoutText', () => {
  it('keeps stdout alone, across pieces that end within a letter', () => {
    const stdout = new StdoutText()
    const bytes = Buffer.from('é')
    const half = (at: number) => ({
      type: 'o',
      payload: bytes.subarray(at, at + 1).toString('base64'),
      place: '1',
    })
    for (const event of [
      eventOf('a'),
      eventOf('b', 'stderr'),
      half(0),
      half(1),
      { ...eventOf('c'), type: 'e' },
    ])
      stdout.add(event)
    expect(stdout.text).toBe('aé')
  })

  it('drops a long text that begins without a table, and keeps one that has one', () => {
    const [log, csv] = [new StdoutText(), new StdoutText()]
    log.add(eventOf('a line of a log\n'.repeat(5000)))
    csv.add(eventOf(`id,name\n${'1,Ada\n'.repeat(12_000)}`))
    expect(log.text).toBe('')
    expect(csv.text.length).toBeGreaterThan(64 * 1024)
  })
})
