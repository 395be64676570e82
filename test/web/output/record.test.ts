import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textOfRow, type Row } from '../../../web/src/output/ansi/row.ts'
import type { OutputEvent } from '../../../web/src/output/block.ts'
import { OutputRecord, rowsOf } from '../../../web/src/output/record.ts'

function eventsOf(pieces: readonly string[]): OutputEvent[] {
  return pieces.map((piece, index) => ({
    type: 'o',
    payload: Buffer.from(piece).toString('base64'),
    place: String(index + 1),
  }))
}

/** What the gateway answers to a range: the events behind a place. */
function behind(events: readonly OutputEvent[], place: string): OutputEvent[] {
  return events.slice(place === '' ? 0 : Number(place))
}

function texts(record: OutputRecord, rows: (index: number) => Row | undefined): (string | undefined)[] {
  return Array.from({ length: record.rowCount }, (_, index) => {
    const row = rows(index)
    return row === undefined ? undefined : textOfRow(row)
  })
}

describe('the record of an output', () => {
  it('has every row that was written, in its place', () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => `line ${index} of the output`)
    const record = new OutputRecord('')
    const text = lines.join('\n')
    const pieces = text.match(/[^]{1,65536}/g) ?? []
    record.add(eventsOf(pieces))
    expect(record.blocks.length).toBeGreaterThan(5)
    expect(texts(record, (index) => record.row(index))).toEqual(lines)
  })

  it('reads a block again as it was, wherever the pieces and blocks end', () => {
    const piece = fc
      .tuple(
        fc.string({ unit: 'grapheme', maxLength: 30 }),
        fc.constantFrom('', '\n', '\u001b[32m', '\n\n'),
        fc.nat(4000),
      )
      .map(([text, end, times]) => `${text}${end}`.repeat(times))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const events = eventsOf(pieces)
        const record = new OutputRecord('')
        record.add(events)
        for (const block of record.blocks) {
          const kept = Array.from({ length: block.rows }, (_, index) => record.row(block.firstRow + index))
          expect(rowsOf(block, behind(events, block.from))).toEqual(kept)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('keeps 100 MB of output without keeping its rows', () => {
    const line = 'x'.repeat(99) + '\n'
    const payload = Buffer.from(line.repeat(640)).toString('base64')
    const record = new OutputRecord('')
    for (let index = 1; index <= 1640; index++) record.add([{ type: 'o', payload, place: String(index) }])
    expect(record.bytes).toBeGreaterThan(100_000_000)
    expect(record.rowCount).toBe(640 * 1640)
    const kept = record.blocks.filter((block) => record.cache.rows(block) !== undefined)
    expect(kept.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(16 * 1024 * 1024)
    expect(record.row(0)).toBeUndefined()
    expect(record.row(record.rowCount - 1)).toBe('x'.repeat(99))
  })
})
