import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Folding } from '../../../web/src/output/folding.ts'
import { OutputRecord } from '../../../web/src/output/record.ts'

function recordOf(text: string): OutputRecord {
  const record = new OutputRecord('')
  record.add([{ type: 'o', payload: Buffer.from(text).toString('base64'), place: '1' }])
  return record
}

function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${index}\n`).join('')
}

function shown(record: OutputRecord, isRunning = false, choices = new Map<number, 'open' | 'folded'>()) {
  const { rowCount, groups } = record
  const folding = new Folding(groups.all, { rowCount, isRunning, choices })
  const rows = Array.from({ length: folding.shownCount }, (_, place) => folding.rowAt(place))
  return { folding, rows }
}

describe('groups of an output', () => {
  it('folds long finished groups, and shows short ones and the running one', () => {
    const record = recordOf(
      `a\n::group::long\n${lines(30)}::endgroup::\nb\n::group::short\nc\n::endgroup::\n::group::last\n${lines(30)}`,
    )
    expect(shown(record).rows).toEqual([0, 1, 33, 34, 35, 37])
    expect(shown(record, true).rows).toHaveLength(36)
    expect(shown(record).folding.groupAt(1)).toEqual({ name: 'long', rows: 30, isFolded: true })
    expect(shown(record).folding.groupAt(2)).toBeUndefined()
    expect(shown(record).folding.foldedAt(5)).toBe(1)
    expect(shown(record).folding.foldedAt(33)).toBeUndefined()
    expect(shown(record, false, new Map([[1, 'open']])).rows).toHaveLength(36)
  })

  it('ends an unclosed group at the next one', () => {
    const { all } = recordOf('::group::a\n1\n::group::b\n2\n::endgroup::\n::endgroup::\n').groups
    expect(all.map(({ row, end, hasEndMarker }) => [row, end, hasEndMarker])).toEqual([
      [0, 2, false],
      [2, 4, true],
    ])
  })

  it('finds markers among colours, and none in the middle of a line', () => {
    const text = `\u001b[1m::group::\u001b[31mred <b>\u001b[0m\r\n x\n::endgroup::\nsay ::group::no\n${'z'.repeat(2000)}::group::no\n`
    expect(recordOf(text).groups.all.map(({ name }) => name)).toEqual(['red <b>'])
  })

  it('bounds the number of groups and the length of their names', () => {
    const record = recordOf(`::group::${'n'.repeat(1024 * 1024)}\n${'::group::x\n'.repeat(100_000)}`)
    expect(record.groups.all).toHaveLength(20_000)
    expect(record.groups.all[0]?.name).toHaveLength(101)
    // Later markers are rows of the last group, which is folded.
    expect(shown(record).rows).toHaveLength(20_000)
    expect(shown(record).folding.groupAt(record.groups.all[19_999]?.row ?? 0)?.rows).toBe(80_001)
  })

  it('maps rows and places to each other, whatever is folded', () => {
    const piece = fc.constantFrom('a\n', '::group::g\n', '::endgroup::\n', lines(25))
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.uniqueArray(fc.nat(200)),
        fc.boolean(),
        (pieces, chosen, isRunning) => {
          const record = recordOf(pieces.join(''))
          const choices = new Map(
            chosen.map((row) => [row, row % 2 === 0 ? ('open' as const) : ('folded' as const)]),
          )
          const { folding, rows } = shown(record, isRunning, choices)
          for (const [place, row] of rows.entries()) {
            expect(folding.placeOf(row)).toBe(place)
            expect(folding.foldedAt(row)).toBeUndefined()
          }
          const isShown = new Set(rows)
          expect(isShown.size).toBe(rows.length)
          for (let row = 0; row < record.rowCount; row += 1) {
            if (isShown.has(row)) continue
            const isEnd = record.groups.all.some(({ end, hasEndMarker }) => end === row && hasEndMarker)
            expect(isEnd || folding.foldedAt(row) !== undefined).toBe(true)
            expect(folding.placeOf(row)).toBe(rows.filter((one) => one < row).length)
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})
