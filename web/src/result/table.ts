import { isNumeric } from './numbers.ts'

/** `null` is a NULL of a database; a missing value in a row is an empty text. */
export type Cell = string | null

export interface Column {
  readonly name: string
  /** Whether all values are numbers. A column of numbers is right-aligned and sorted by number. */
  readonly isNumeric: boolean
  /** Number of characters of the longest value or of the name. A limit applies. */
  readonly width: number
}

export interface ResultTable {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly Cell[])[]
  /** Number of rows of the output that are not in this table. */
  readonly leftOut: number
}

/** Work that is done in steps, so that the page can draw and handle keys between two steps. */
export type Steps<Result> = Generator<void, Result, void>

export const STEP_ROWS = 256
/** Maximum number of rows. More rows would take too much of the browser's memory. */
const MAX_ROWS = 200_000
/** Maximum number of columns. The browser cannot draw more columns. */
export const MAX_COLUMNS = 200
const WIDEST = 48

/** Collects the rows of one table, and what the values of each column have in common. */
export class TableBuilder {
  readonly #names: string[]
  readonly #rows: (readonly Cell[])[] = []
  readonly #widths: number[] = []
  /**
   * For each column, `#hasText` says whether some value is not a number. `#hasNumbers` says whether some
   * value is one.
   */
  readonly #hasText: boolean[] = []
  readonly #hasNumbers: boolean[] = []
  readonly #mostRows: number
  #leftOut = 0

  constructor(names: readonly string[], mostRows = MAX_ROWS) {
    this.#names = [...names]
    this.#mostRows = mostRows
  }

  get columnCount(): number {
    return this.#names.length
  }

  /** Number of all rows, including the rows that are left out. */
  get rowCount(): number {
    return this.#rows.length + this.#leftOut
  }

  addColumn(name: string): number {
    return this.#names.push(name) - 1
  }

  add(row: readonly Cell[]): void {
    if (this.#rows.length >= this.#mostRows) {
      this.#leftOut += 1
      return
    }
    this.#rows.push(row)
    for (const [column, cell] of row.entries()) this.#look(column, cell)
  }

  table(): ResultTable {
    const columns = this.#names.map((name, column) => ({
      name,
      isNumeric: this.#hasNumbers[column] === true && this.#hasText[column] !== true,
      width: Math.min(WIDEST, Math.max(name.length, this.#widths[column] ?? 0)),
    }))
    return { columns, rows: this.#rows, leftOut: this.#leftOut }
  }

  #look(column: number, cell: Cell | undefined): void {
    // An empty cell counts for a row that lacks the column. NULL counts as four letters.
    const length = cell === null ? 4 : (cell?.length ?? 0)
    if (length > (this.#widths[column] ?? 0)) this.#widths[column] = length
    if (cell === null || cell === undefined || cell === '' || this.#hasText[column] === true) return
    if (isNumeric(cell)) this.#hasNumbers[column] = true
    else this.#hasText[column] = true
  }
}

/** Returns null for the texts that database programs write for a NULL. */
export function nullOr(text: string): Cell {
  return text === 'NULL' || text === '\\N' ? null : text
}
