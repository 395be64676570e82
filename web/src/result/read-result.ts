import { delimitedTables } from './delimited.ts'
import { framedTable, psqlTable, type Found } from './drawn.ts'
import { jsonTables } from './json.ts'
import { recordTable } from './records.ts'
import { STEP_ROWS, type ResultTable, type Steps } from './table.ts'

export const MAX_TABLES = 20

// eslint-disable-next-line no-control-regex -- the sequences begin with one
const COLOURS = /\u001b\[[0-9;:]*[mK]/g

/**
 * Reads JSON, CSV, TSV, and the tables of psql and mysql. Returns no table for a text that is not clearly a
 * table. `isCut` tells whether the output continued after the end of the text.
 */
export function* readTables(output: string, isCut = false): Steps<readonly ResultTable[]> {
  const text = output.includes('\u001b') ? output.replaceAll(COLOURS, '') : output
  if (/^\s*[[{]/.test(text)) {
    const tables = yield* jsonTables(text, isCut)
    if (tables.length > 0) return tables
  }
  const lines = yield* linesOf(text, isCut)
  const drawn = yield* drawnTables(lines, isCut)
  return drawn.length > 0 ? drawn : yield* delimitedTables(lines, isCut)
}

/** The last line of a cut text is incomplete. It is empty if the text ends with a line. */
function* linesOf(text: string, isCut: boolean): Steps<string[]> {
  const lines: string[] = []
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start)
    const stop = end < 0 ? text.length : end
    lines.push(text.slice(start, text[stop - 1] === '\r' && stop > start ? stop - 1 : stop))
    start = stop + 1
    if (lines.length % (16 * STEP_ROWS) === 0) yield
  }
  if (isCut && text.endsWith('\n')) lines.push('')
  return lines
}

/** Drawn lines show where a table begins and ends, so any text may be between tables. */
function* drawnTables(lines: readonly string[], isCut: boolean): Steps<ResultTable[]> {
  const tables: ResultTable[] = []
  for (let at = 0; at < lines.length;) {
    const found = yield* drawnAt(lines, at, isCut)
    if (found !== undefined) tables.push(found.table)
    at = found?.next ?? at + 1
    if (at % (16 * STEP_ROWS) === 0) yield
  }
  return tables
}

function* drawnAt(lines: readonly string[], at: number, isCut: boolean): Steps<Found> {
  const sign = lines[at]?.[0]
  if (sign === ' ') return yield* psqlTable(lines, at, isCut)
  if (sign === '-' || sign === '*') return yield* recordTable(lines, at, isCut)
  if (sign === '+' || sign === '┌' || sign === '╔') return yield* framedTable(lines, at, isCut)
  return undefined
}

/** Runs all steps without a pause. Use this only for short texts. */
export function finished<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}
