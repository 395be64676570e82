import { oneLine, printableCell } from './printable.ts'

interface TableColumn {
  readonly heading: string
  /** Whether the column may be cut. `last` shrinks after all others, because people type its content. */
  readonly shrinks?: boolean | 'last'
  /**
   * If shrinking is not enough, columns are left out in this order. A column without a number is never left
   * out.
   */
  readonly leftOut?: number
}

export interface ItemColumn<Item> extends TableColumn {
  readonly of: (item: Item) => string
  /** A shorter text. It is used in all rows if the table is wider than the terminal, before anything is cut. */
  readonly short?: (item: Item) => string
  /** The text in TSV, for example a whole id. */
  readonly whole?: (item: Item) => string
}

/** The cells may hold any characters. */
export function itemTable<Item>(
  columns: readonly ItemColumn<Item>[],
  items: readonly Item[],
  width: number,
): string {
  const whole = rowsOf(columns, items, ({ of }) => of)
  const isWide = total(measured(columns, whole).map((column) => column.width)) > width
  const rows = isWide ? rowsOf(columns, items, ({ of, short = of }) => short) : whole
  const shown = fitting(measured(columns, rows), width)
  return rows.map((cells) => `${line(cells, shown)}\n`).join('')
}

/** Makes the rows, with the headings first. */
function rowsOf<Item>(
  columns: readonly ItemColumn<Item>[],
  items: readonly Item[],
  textOf: (column: ItemColumn<Item>) => (item: Item) => string,
): TableRow[] {
  const rows = items.map((item) => columns.map((column) => oneLine(textOf(column)(item))))
  return [columns.map(({ heading }) => heading), ...rows]
}

/**
 * Makes lines of cells between tabs, with the headings first. No column is left out or cut. A tab, a line
 * break, another control character and a backslash in a cell are escaped.
 */
export function itemTsv<Item>(columns: readonly ItemColumn<Item>[], items: readonly Item[]): string {
  const rows = items.map((item) => columns.map(({ of, whole = of }) => printableCell(whole(item))))
  const headings = columns.map(({ heading }) => heading.trim() || '-')
  return [headings, ...rows].map((cells) => `${cells.join('\t')}\n`).join('')
}

/** One printable text per column. */
type TableRow = readonly string[]

/**
 * Minimum width of a column that may shrink. If the column's heading is longer, the minimum is the heading's
 * length.
 */
const NARROWEST = 6
const GAP = 2

interface Measured {
  readonly at: number
  readonly least: number
  readonly leftOut: number
  readonly isTyped: boolean
  width: number
}

function measured(columns: readonly TableColumn[], rows: readonly TableRow[]): Measured[] {
  return columns.map(({ heading, shrinks = false, leftOut = Infinity }, at) => {
    let width = 0
    for (const cells of rows) width = Math.max(width, lengthOf(cells[at] ?? ''))
    const least = shrinks === false ? width : Math.min(width, Math.max(NARROWEST, heading.length))
    return { at, width, least, leftOut, isTyped: shrinks === 'last' }
  })
}

function fitting(columns: readonly Measured[], width: number): Measured[] {
  let shown = [...columns]
  const dispensable = columns.filter(({ leftOut }) => leftOut !== Infinity)
  for (const one of dispensable.toSorted((first, second) => first.leftOut - second.leftOut)) {
    const needed = shown.map((other) =>
      other.isTyped && other.leftOut > one.leftOut ? other.width : other.least,
    )
    if (total(needed) > width) shown = shown.filter((other) => other !== one)
  }
  // If two columns have `last`, the right one of them shrinks first.
  const typed = shown.filter(({ isTyped }) => isTyped).toReversed()
  for (const column of [...shown.filter(({ isTyped }) => !isTyped), ...typed]) {
    const excess = total(shown.map((one) => one.width)) - width
    if (excess > 0) column.width = Math.max(column.least, column.width - excess)
  }
  return shown
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + GAP, -GAP)
}

function line(cells: TableRow, columns: readonly Measured[]): string {
  return columns
    .map(({ at, width }) => fitted(cells[at] ?? '', width))
    .join(' '.repeat(GAP))
    .trimEnd()
}

function fitted(text: string, width: number): string {
  const characters = Array.from(text)
  if (characters.length > width) return `${characters.slice(0, Math.max(0, width - 1)).join('')}~`
  return text + ' '.repeat(width - characters.length)
}

function lengthOf(text: string): number {
  return Array.from(text).length
}
