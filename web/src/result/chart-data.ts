import { momentIn, numberIn } from './numbers.ts'
import type { ResultTable } from './table.ts'

/** Maximum number of labels, because people cannot distinguish more. */
export const MAX_LABELS = 500
/** Maximum number of points. A chart with more points than pixels is not clearer. */
const MAX_POINTS = 100_000

export interface ChartData {
  /** What the horizontal axis shows: numbers, times in seconds since 1970, or texts side by side. */
  readonly kind: 'numbers' | 'moments' | 'labels'
  readonly places: readonly number[]
  readonly values: readonly (number | null)[]
  /** The labels of the places, used when the axis shows texts. */
  readonly labels: readonly string[]
  /** Number of rows that have no value or no place. */
  readonly leftOut: number
}

/**
 * `across` is the column of the horizontal axis, or -1 for the number of the row. `up` is the column of
 * numbers for the vertical axis.
 */
export function chartData({ rows }: ResultTable, across: number, up: number): ChartData {
  const kind = across < 0 ? 'numbers' : kindOf(rows.map((row) => row[across]))
  const placeOf = kind === 'moments' ? momentIn : numberIn
  const points: (readonly [place: number, value: number, label: string])[] = []
  const most = kind === 'labels' ? MAX_LABELS : MAX_POINTS
  for (const [index, row] of rows.entries()) {
    const value = numberIn(row[up])
    const place = across < 0 ? index + 1 : kind === 'labels' ? points.length : placeOf(row[across])
    if (value !== undefined && place !== undefined && points.length < most)
      points.push([place, value, row[across] ?? 'NULL'])
  }
  points.sort(([one], [other]) => one - other)
  return {
    kind,
    places: points.map(([place]) => place),
    values: points.map(([, value]) => value),
    labels: kind === 'labels' ? points.map(([, , label]) => label) : [],
    leftOut: rows.length - points.length,
  }
}

function kindOf(cells: readonly (string | null | undefined)[]): ChartData['kind'] {
  const given = cells.filter((cell) => cell !== null && cell !== undefined && cell !== '')
  if (given.length > 0 && given.every((cell) => numberIn(cell) !== undefined)) return 'numbers'
  return given.length > 0 && given.every((cell) => momentIn(cell) !== undefined) ? 'moments' : 'labels'
}
