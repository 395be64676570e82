import { isNumeric } from './numbers.ts'
import type { Cell, Column } from './table.ts'

/** Texts that spreadsheets read as formulas, which may send other cells to another server. */
const FORMULA = /^[=+\-@\t\r]/

/** Whether a spreadsheet would calculate the value. Numbers with a sign are not formulas. */
export function isFormula(cell: Cell | undefined): boolean {
  return typeof cell === 'string' && FORMULA.test(cell) && !isNumeric(cell)
}

/**
 * Yields CSV by RFC 4180, in pieces. A value that a spreadsheet would read as a formula gets a `'` before it.
 * NULL becomes an empty field, an empty text becomes `""`.
 */
export function* csvOf(
  columns: readonly Pick<Column, 'name'>[],
  rows: Iterable<readonly Cell[]>,
): Generator<string, void> {
  yield lineOf(columns.map(({ name }) => name))
  for (const row of rows) yield lineOf(columns.map((_, column) => row[column]))
}

function lineOf(cells: readonly (Cell | undefined)[]): string {
  return `${cells.map(fieldOf).join(',')}\r\n`
}

function fieldOf(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return ''
  const text = guarded(cell)
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function guarded(cell: string): string {
  return isFormula(cell) ? `'${cell}` : cell
}

/** Returns a text that spreadsheets read as cells when it is pasted. Formulas are guarded as in CSV. */
export function tsvOf(rows: readonly (readonly (Cell | undefined)[])[]): string {
  return rows.map((row) => row.map(copied).join('\t')).join('\n')
}

function copied(cell: Cell | undefined): string {
  return guarded(cell ?? '').replaceAll(/[\t\r\n]+/g, ' ')
}
