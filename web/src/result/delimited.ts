import { isNumeric, momentIn } from './numbers.ts'
import { MAX_COLUMNS, STEP_ROWS, TableBuilder, type Cell, type ResultTable, type Steps } from './table.ts'

// Reads CSV, TSV and the rows that `psql -A` prints. Nothing in such a text says that it is a table, so the
// content must show it. The first row must have names, and each row must have the same number of values.
// Outside the table, no line may contain the separator.

/** psql -A prints the number of rows below a table. A text without this line may not be a table. */
const FOOTER = /^\((\d+) \p{L}+\)$/u
const SIGNS = ['\t', ',', ';', '|'] as const
type Sign = (typeof SIGNS)[number]

const SAMPLE_LINES = 400
/** Number of rows that are examined to decide whether the first row has names. */
const EVIDENCE_ROWS = 1000
/**
 * Maximum number of lines of a quoted value. If more lines follow, the quotation mark is only part of a text.
 */
const MAX_LINES_PER_VALUE = 1000

interface Line {
  readonly cells: readonly Cell[]
  readonly next: number
}

export function* delimitedTables(lines: readonly string[], isCut: boolean): Steps<readonly ResultTable[]> {
  const sample = lines.slice(0, SAMPLE_LINES)
  let best: { readonly sign: Sign; readonly cells: number } | undefined
  for (const sign of SIGNS) {
    const tables = yield* tablesBy(sign, sample, isCut || lines.length > sample.length)
    const cells = tables.reduce((sum, { rows, columns }) => sum + rows.length * columns.length, 0)
    if (cells > (best?.cells ?? 0)) best = { sign, cells }
  }
  if (best === undefined) return []
  return lines.length === sample.length
    ? yield* tablesBy(best.sign, sample, isCut)
    : yield* tablesBy(best.sign, lines, isCut)
}

/** Returns no tables when one line does not fit, because the other lines are then uncertain, too. */
function* tablesBy(sign: Sign, lines: readonly string[], isCut: boolean): Steps<ResultTable[]> {
  const tables: ResultTable[] = []
  for (let at = 0; at < lines.length;) {
    if (lines[at]?.includes(sign) !== true) {
      at += 1
      continue
    }
    const run = yield* runFrom(sign, lines, at, isCut)
    if (run === undefined) return []
    at = run.next
    if (sign === '|' && !isCounted(lines[at], run.rows.length - 1)) return []
    for (const part of yield* partsOf(run.rows)) {
      const table = yield* tableOf(part, sign)
      if (table === undefined) return []
      tables.push(table)
    }
  }
  return tables
}

function isCounted(line: string | undefined, rows: number): boolean {
  return FOOTER.exec(line ?? '')?.[1] === String(rows)
}

interface Run {
  readonly rows: readonly (readonly Cell[])[]
  readonly next: number
}

/**
 * Returns lines that have the same number of values. Returns undefined when one of the lines cannot be read.
 */
function* runFrom(
  sign: Sign,
  lines: readonly string[],
  start: number,
  isCut: boolean,
): Steps<Run | undefined> {
  const rows: (readonly Cell[])[] = []
  let at = start
  while (at < lines.length && lines[at]?.includes(sign) === true) {
    const line = lineAt(sign, lines, at)
    const isLast = isCut && (line?.next ?? lines.length) >= lines.length
    if (isLast && rows.length > 1) return { rows, next: lines.length }
    if (line === undefined || line.cells.length > MAX_COLUMNS) return undefined
    if (line.cells.length !== (rows[0] ?? line.cells).length) break
    rows.push(line.cells)
    at = line.next
    if (rows.length % STEP_ROWS === 0) yield
  }
  return { rows, next: at }
}

/** A quoted value may continue on the next lines. Returns undefined when the quotes do not match. */
function lineAt(sign: Sign, lines: readonly string[], at: number): Line | undefined {
  const first = lines[at] ?? ''
  const isText = sign === ',' || sign === ';'
  // A blank after the comma or semicolon means that the line is a sentence.
  if (isText && first.includes(`${sign} `) && !first.includes('"')) return undefined
  if (!first.includes('"') || sign === '\t') return { cells: first.split(sign).map(plain), next: at + 1 }
  const cells: Cell[] = []
  let text = first
  let next = at + 1
  for (let from = 0; ;) {
    if (text[from] !== '"') {
      const end = text.indexOf(sign, from)
      const value = text.slice(from, end < 0 ? undefined : end)
      if (value.includes('"') || (isText && value.startsWith(' '))) return undefined
      cells.push(plain(value))
      if (end < 0) return { cells, next }
      from = end + 1
      continue
    }
    let end = closingQuote(text, from + 1)
    while (end < 0) {
      if (next >= lines.length || next - at > MAX_LINES_PER_VALUE) return undefined
      text = `${text}\n${lines[next] ?? ''}`
      next += 1
      end = closingQuote(text, from + 1)
    }
    cells.push(text.slice(from + 1, end).replaceAll('""', '"'))
    if (end + 1 >= text.length) return { cells, next }
    if (text[end + 1] !== sign) return undefined
    from = end + 2
  }
}

/** Returns the place of the closing quote. Two quotes in a row stand for one quote of the value. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2))
    if (text[at + 1] !== '"') return at
  return -1
}

function plain(value: string): Cell {
  return value === 'NULL' || value === '\\N' ? null : value
}

/**
 * Splits rows into result sets. mysql and psql write the results of several queries without a line between
 * them. A result with the same number of columns begins where the first row is repeated, or where names
 * appear in a column of numbers.
 */
function* partsOf(rows: Run['rows']): Steps<Run['rows'][]> {
  const head = rows[0] ?? []
  const [numbers, others] = [head.map(() => false), head.map(() => false)]
  const words: number[] = []
  for (const [at, row] of rows.entries()) {
    if (at % STEP_ROWS === STEP_ROWS - 1) yield
    if (row.every(isWord)) words.push(at)
    else
      for (const [column, cell] of row.entries())
        if (cell !== null && cell !== '') (isNumeric(cell) ? numbers : others)[column] = true
  }
  const hasNumbers = words[0] === 0 && numbers.some((is, column) => is && others[column] !== true)
  const again = rows.flatMap((row, at) =>
    at > 0 && row.every((cell, column) => cell === head[column]) ? [at] : [],
  )
  const starts = [...new Set([0, ...again, ...(hasNumbers ? words : [])])].sort((a, b) => a - b)
  return starts.map((start, index) => rows.slice(start, starts[index + 1] ?? rows.length))
}

function isWord(cell: Cell): boolean {
  return cell !== null && /^[a-z_][a-z0-9_]*$/.test(cell)
}

function* tableOf(rows: Run['rows'], sign: Sign): Steps<ResultTable | undefined> {
  const [head = [], ...body] = rows
  const names = head.map((cell) => cell ?? '')
  if (body.length === 0 || names.length < 2 || !names.every(isName)) return undefined
  const evidence = body.slice(0, EVIDENCE_ROWS)
  const isTyped = names.some((_, column) => hasKind(evidence, column))
  if (sign !== '|' && !isTyped && !differs(names, evidence)) return undefined
  if (!isTyped && new Set(names).size < names.length) return undefined
  const builder = new TableBuilder(names)
  for (const [at, row] of body.entries()) {
    builder.add(row)
    if (at % STEP_ROWS === 0) yield
  }
  return builder.table()
}

/**
 * Whether the text can be the name of a column. A number, another kind of value or a sentence cannot be a
 * name.
 */
function isName(text: string): boolean {
  if (text.length > 80 || /[.:!;,]$/.test(text) || text.includes('://')) return false
  if (/^(?:true|false|yes|no|ok|none|null|n\/a)$/i.test(text)) return false
  return /^[\p{L}_#?*(@%$'"`][^\n\t]*$/u.test(text)
}

/**
 * Whether each value of a column is a number, a time or a boolean. In this case the first row has the names.
 */
function hasKind(body: Run['rows'], column: number): boolean {
  let isAny = false
  for (const row of body) {
    const cell = row[column]
    if (cell === null || cell === undefined || cell === '') continue
    if (!isNumeric(cell) && momentIn(cell) === undefined && !/^(?:true|false|t|f)$/i.test(cell)) return false
    isAny = true
  }
  return isAny
}

const STYLES = [/^[a-z_][a-z0-9_]*$/, /^[A-Z_][A-Z0-9_]*$/, /^\p{Lu}[\p{L}\p{N}_]*$/u]

/**
 * Whether all names have one style and most values of some column do not have it. This test is for tables
 * that contain only texts.
 */
function differs(names: readonly string[], body: Run['rows']): boolean {
  const style = STYLES.find((one) => names.every((name) => one.test(name)))
  if (style === undefined) return false
  return names.some((_, column) => {
    const alike = body.filter((row) => style.test(row[column] ?? '')).length
    return alike * 2 < body.length
  })
}
