import { isNumeric } from './numbers.ts'
import { MAX_COLUMNS, nullOr, STEP_ROWS, TableBuilder, type ResultTable, type Steps } from './table.ts'

// Tables of psql (`a | b` over `---+---`), and tables of mysql, which have a frame.

/** `next` is the line after the table. Undefined when the lines may not be a table. */
export type Found = { readonly table: ResultTable; readonly next: number } | undefined

/** The number of rows below a table. psql always writes it, mysql only in a terminal. */
const FOOTER = /^\((\d+) \p{L}+\)$|^(\d+) rows? in set\b/u
const PSQL_RULE = /^-{3,}(?:\+-{2,})*$/
const FRAME = /^(?:\+(?:[-=]+\+)+|[┌├└╞╔╠╚][─═┬┼┴╪╦╬╩┐┤┘╡╗╣╝]+)$/
const BARS = ['|', '│', '║']

/** `isCut` says whether the output continues after the last line. */
export function* psqlTable(lines: readonly string[], start: number, isCut: boolean): Steps<Found> {
  const [head = '', rule = ''] = [lines[start], lines[start + 1]]
  if (!PSQL_RULE.test(rule) || !head.startsWith(' ')) return undefined
  const edges = edgesOf(rule)
  const names = cellsIn(head, edges)?.map((cell) => cell.trim())
  if (names === undefined || names.length > MAX_COLUMNS) return undefined
  const builder = new TableBuilder(names)
  const rows = new PsqlRows(edges, builder)
  let at = start + 2
  for (; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line === '' || FOOTER.test(line)) break
    // The last line of truncated output is not a whole row.
    if (isCut && at === lines.length - 1) break
    if (!rows.add(line)) return undefined
    if (at % STEP_ROWS === 0) yield
  }
  rows.end()
  return ended(lines, at, builder, { needsFooter: edges.length === 0 && !isCut })
}

/** Reads the ends of columns from the line under the names. */
function edgesOf(rule: string): number[] {
  return [...rule.matchAll(/\+/g)].map(({ index }) => index)
}

/** Collects the rows of a psql table. In a value of several lines, each line except the last ends in `+`. */
class PsqlRows {
  readonly #edges: readonly number[]
  readonly #builder: TableBuilder
  #open: string[] | undefined
  #goesOn: boolean[] = []

  constructor(edges: readonly number[], builder: TableBuilder) {
    this.#edges = edges
    this.#builder = builder
  }

  /** Returns false for a line that is not a row of this table. */
  add(line: string): boolean {
    const cells = cellsIn(line, this.#edges)
    if (cells === undefined) return false
    const goesOn = cells.map((cell, column) => this.#isContinued(cell, column))
    const values = cells.map((cell, column) => valueOf(goesOn[column] === true ? cell.slice(0, -1) : cell))
    if (this.#open !== undefined && this.#goesOn.includes(true)) {
      const before = this.#open
      this.#open = before.map((text, column) =>
        this.#goesOn[column] === true ? `${text}\n${values[column] ?? ''}` : text,
      )
    } else {
      this.end()
      this.#open = values
    }
    this.#goesOn = goesOn
    return true
  }

  end(): void {
    if (this.#open !== undefined) this.#builder.add(this.#open.map(nullOr))
    this.#open = undefined
  }

  /**
   * Whether the value continues on the next line. The `+` is then in the column's margin, where no value can
   * be.
   */
  #isContinued(cell: string, column: number): boolean {
    const [before, edge] = [this.#edges[column - 1] ?? -1, this.#edges[column]]
    if (!cell.endsWith('+')) return false
    return edge === undefined ? cell.endsWith(' +') && cell.length > 2 : cell.length === edge - before - 1
  }
}

/**
 * Splits a line at its bars. If values contain bars, splits it at the places of the columns. Returns
 * undefined when the line does not fit the columns, for example after a masked value.
 */
function cellsIn(line: string, edges: readonly number[]): string[] | undefined {
  const parts = line.split('|')
  if (parts.length === edges.length + 1) return parts
  const isInPlace = edges.every((edge) => line[edge] === '|' && /[ +]/.test(line[edge - 1] ?? ''))
  if (parts.length <= edges.length || !isInPlace) return undefined
  return [...edges, line.length].map((edge, column) => line.slice((edges[column - 1] ?? -1) + 1, edge))
}

/** Removes the margins. Numbers are right-aligned. Texts may begin with blanks, as in query plans. */
function valueOf(cell: string): string {
  const value = cell.slice(1).trimEnd()
  const trimmed = value.trimStart()
  return isNumeric(trimmed) || /^[-(]?\p{Sc}/u.test(trimmed) ? trimmed : value
}

/**
 * `needsFooter` means that only the footer proves a table. Without the footer the lines may be a heading with
 * a line below it.
 */
function ended(
  lines: readonly string[],
  at: number,
  builder: TableBuilder,
  { needsFooter }: { readonly needsFooter: boolean },
): Found {
  const [, inPsql, inMysql] = FOOTER.exec(lines[at] ?? '') ?? []
  const count = inPsql ?? inMysql
  if (count === undefined && (needsFooter || builder.rowCount === 0)) return undefined
  if (count !== undefined && Number(count) !== builder.rowCount) return undefined
  return { table: builder.table(), next: count === undefined ? at : at + 1 }
}

/** Reads a table in a frame, as mysql, psql with `border 2`, sqlite and others draw it. */
export function* framedTable(lines: readonly string[], start: number, isCut: boolean): Steps<Found> {
  const bar = lines[start + 1]?.[0] ?? ''
  if (!isFrame(lines[start]) || !BARS.includes(bar) || !isFrame(lines[start + 2])) return undefined
  const edges = edgesOfFrame(lines[start] ?? '')
  const names = framedCells(lines[start + 1] ?? '', bar, edges)
  if (names === undefined || names.length > MAX_COLUMNS) return undefined
  const builder = new TableBuilder(names)
  let at = start + 3
  let frames = 0
  for (; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (isFrame(line)) {
      frames += 1
      if (lines[at + 1]?.[0] !== bar) break
      continue
    }
    if (isCut && at === lines.length - 1) break
    const cells = framedCells(line, bar, edges)
    if (cells === undefined) return undefined
    builder.add(cells.map(nullOr))
    if (at % STEP_ROWS === 0) yield
  }
  const isOpen = at >= lines.length - 1 && isCut
  // If a frame follows each row, each row must have one line. Otherwise one row of several lines would look
  // like several rows, so the lines are not read as a table.
  const isClosed = isOpen || frames === 1 || frames === builder.rowCount
  return isClosed ? ended(lines, at + 1, builder, { needsFooter: false }) : undefined
}

function isFrame(line: string | undefined): boolean {
  return line !== undefined && FRAME.test(line)
}

/** Returns the inner corners of a frame. */
function edgesOfFrame(frame: string): number[] {
  return [...frame.slice(1, -1).matchAll(/[+┬┼┴╪╦╬╩╤]/g)].map(({ index }) => index + 1)
}

function framedCells(line: string, bar: string, edges: readonly number[]): string[] | undefined {
  if (!line.startsWith(bar) || !line.endsWith(bar) || line.length < 2) return undefined
  const parts = line.slice(1, -1).split(bar)
  if (parts.length === edges.length + 1) return parts.map((part) => part.trim())
  if (parts.length <= edges.length || edges.some((edge) => line[edge] !== bar)) return undefined
  const ends = [...edges, line.length - 1]
  return ends.map((edge, column) => line.slice((edges[column - 1] ?? 0) + 1, edge).trim())
}
