import { numberIn } from './numbers.ts'
import type { Cell, ResultTable, Steps } from './table.ts'

const STEP = 8192

export interface Sorting {
  readonly column: number
  readonly isDescending: boolean
}

export interface Filtering {
  readonly text: string
  /** The condition of each column, in the form that `matcher` reads. */
  readonly columns: Readonly<Record<number, string>>
}

/** Returns the numbers of the rows that match the filter, in order. */
export function* arranged(
  table: ResultTable,
  filtering: Filtering,
  sorting: Sorting | undefined,
): Steps<Uint32Array> {
  const rows = yield* filtered(table, filtering)
  return sorting === undefined ? rows : yield* sorted(table, rows, sorting)
}

function* filtered({ rows }: ResultTable, { text, columns }: Filtering): Steps<Uint32Array> {
  const wanted = text.trim().toLowerCase()
  const tests = Object.entries(columns)
    .filter(([, condition]) => condition.trim() !== '')
    .map(([column, condition]) => ({ column: Number(column), fits: matcher(condition) }))
  const left = new Uint32Array(rows.length)
  let count = 0
  for (const [at, row] of rows.entries()) {
    if (at % STEP === STEP - 1) yield
    const isThere = wanted === '' || row.some((cell) => shown(cell).toLowerCase().includes(wanted))
    if (isThere && tests.every(({ column, fits }) => fits(row[column]))) left[count++] = at
  }
  return left.slice(0, count)
}

/**
 * Returns a test for a value. `paid` tests whether the value contains this text, and `=paid` whether it
 * equals this text. `>100` and `<=100` compare numbers. If the condition has no number, they compare texts.
 */
export function matcher(condition: string): (cell: Cell | undefined) => boolean {
  const [, sign = '', rest = ''] = /^\s*(>=|<=|>|<|=|!=)?\s*(.*?)\s*$/s.exec(condition) ?? []
  const wanted = rest.toLowerCase()
  if (sign === '') return (cell) => shown(cell).toLowerCase().includes(wanted)
  if (sign === '=') return (cell) => shown(cell).toLowerCase() === wanted
  if (sign === '!=') return (cell) => shown(cell).toLowerCase() !== wanted
  const limit = numberIn(rest)
  return (cell) => {
    if (cell === null || cell === undefined || cell === '') return false
    const value = numberIn(cell)
    if (limit !== undefined && value === undefined) return false
    const difference =
      limit === undefined || value === undefined ? compareTexts(cell.toLowerCase(), wanted) : value - limit
    if (difference === 0) return sign.endsWith('=')
    return difference > 0 === sign.startsWith('>')
  }
}

function shown(cell: Cell | undefined): string {
  return cell === null ? 'NULL' : (cell ?? '')
}

/** Rows with equal values keep their order. Rows without a value come last. */
function* sorted(
  { rows, columns }: ResultTable,
  order: Uint32Array,
  { column, isDescending }: Sorting,
): Steps<Uint32Array> {
  const isNumeric = columns[column]?.isNumeric === true
  const keys = rows.map((row) => (isNumeric ? numberIn(row[column]) : textKey(row[column])))
  yield
  const compare = (one: number, other: number): number => {
    const [a, b] = [keys[one], keys[other]]
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
    const difference =
      typeof a === 'number' && typeof b === 'number' ? a - b : compareTexts(String(a), String(b))
    return isDescending ? -difference : difference
  }
  return yield* merged(order, compare)
}

function textKey(cell: Cell | undefined): string | undefined {
  return cell === null || cell === undefined || cell === '' ? undefined : cell.toLowerCase()
}

function compareTexts(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1
}

/** Sorts by merging longer and longer parts. `Array.sort` is not used, because it cannot pause. */
function* merged(order: Uint32Array, compare: (one: number, other: number) => number): Steps<Uint32Array> {
  let [from, to] = [order.slice(), new Uint32Array(order.length)]
  let work = 0
  for (let width = 1; width < order.length; width *= 2) {
    for (let start = 0; start < order.length; start += 2 * width) {
      const middle = Math.min(start + width, order.length)
      const end = Math.min(start + 2 * width, order.length)
      for (let [left, right, at] = [start, middle, start]; at < end; at++) {
        const [one, other] = [from[left] ?? 0, from[right] ?? 0]
        const takesLeft = left < middle && (right >= end || compare(one, other) <= 0)
        to[at] = takesLeft ? one : other
        if (takesLeft) left++
        else right++
        if (++work % STEP === 0) yield
      }
    }
    ;[from, to] = [to, from]
  }
  return from
}
