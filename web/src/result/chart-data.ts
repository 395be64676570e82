import { visible } from '../parts/visible.ts'
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
  /** The labels of the places, used when the axis shows texts. Hidden characters are visible in them. */
  readonly labels: readonly string[]
  /** Number of rows that have no value or no place. */
  readonly leftOut: number
}

/**
 * How the rows of one place become one value. With `each`, every row is a point of its own. `count` counts rows,
 * also those without a number.
 */
export type Measure = 'each' | 'sum' | 'count' | 'average'

export const DAY_S = 86_400

interface Point {
  readonly place: number
  readonly label: string
  sum: number
  count: number
}

/**
 * `across` is the column of the horizontal axis, or -1 for the number of the row. `up` is the column of
 * numbers for the vertical axis. `isByDay` joins the moments of one day in UTC, unless each row is a point.
 */
export function chartData(
  { rows }: ResultTable,
  across: number,
  up: number,
  measure: Measure = 'each',
  isByDay = false,
): ChartData {
  const kind = across < 0 ? 'numbers' : kindOf(rows.map((row) => row[across]))
  const placeOf = kind === 'moments' ? momentIn : numberIn
  const points = new Map<number | string, Point>()
  const most = kind === 'labels' ? MAX_LABELS : MAX_POINTS
  let leftOut = 0
  for (const [index, row] of rows.entries()) {
    const label = row[across] ?? 'NULL'
    const value = measure === 'count' ? 1 : numberIn(row[up])
    const given = across < 0 ? index + 1 : kind === 'labels' ? points.size : placeOf(row[across])
    const place =
      isByDay && measure !== 'each' && kind === 'moments' && given !== undefined
        ? Math.floor(given / DAY_S) * DAY_S
        : given
    const key = measure === 'each' ? index : kind === 'labels' ? label : place
    const point = key === undefined ? undefined : points.get(key)
    if (value === undefined || place === undefined || key === undefined) leftOut += 1
    else if (point !== undefined) {
      point.sum += value
      point.count += 1
    } else if (points.size < most) points.set(key, { place, label, sum: value, count: 1 })
    else leftOut += 1
  }
  const sorted = [...points.values()].sort((one, other) => one.place - other.place)
  return {
    kind,
    places: sorted.map(({ place }) => place),
    values: sorted.map((point) => measured(point, measure)),
    labels: kind === 'labels' ? sorted.map(({ label }) => visible(label)) : [],
    leftOut,
  }
}

function measured({ sum, count }: Point, measure: Measure): number {
  return measure === 'average' ? sum / count : sum
}

function kindOf(cells: readonly (string | null | undefined)[]): ChartData['kind'] {
  const given = cells.filter((cell) => cell !== null && cell !== undefined && cell !== '')
  if (given.length > 0 && given.every((cell) => numberIn(cell) !== undefined)) return 'numbers'
  return given.length > 0 && given.every((cell) => momentIn(cell) !== undefined) ? 'moments' : 'labels'
}
