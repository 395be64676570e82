import type { Found } from './drawn.ts'
import { MAX_COLUMNS, nullOr, STEP_ROWS, TableBuilder, type Cell, type Steps } from './table.ts'

// Tables with one value per line: psql's expanded form (`\x`) and mysql's vertical form (`\G`).

interface Form {
  /** Matches the line before a record. The line contains the record's number. */
  readonly head: RegExp
  readonly field: RegExp
}

const EXPANDED: Form = {
  head: /^-\[ RECORD (\d+) \][-+]*$/,
  field: /^(\S.*?) *\| ?(.*)$/,
}
const VERTICAL: Form = {
  head: /^\*{10,} (\d+)\. row \*{10,}$/,
  field: /^ *([^\s:][^:]*): ?(.*)$/,
}

/** Reads records that have the same names in the same order. Their numbers must have no gap. */
export function* recordTable(lines: readonly string[], start: number, isCut: boolean): Steps<Found> {
  const form = [EXPANDED, VERTICAL].find(({ head }) => head.exec(lines[start] ?? '')?.[1] === '1')
  if (form === undefined) return undefined
  let builder: TableBuilder | undefined
  let names: readonly string[] = []
  let at = start
  for (let number = 1; form.head.exec(lines[at] ?? '')?.[1] === String(number); number++) {
    const record = recordIn(lines, at + 1, form)
    if (isCut && record.next >= lines.length && number > 1) break
    if (record.isUnclear || record.names.length === 0) return undefined
    if (number === 1) names = record.names
    if (names.join('\n') !== record.names.join('\n') || names.length > MAX_COLUMNS) return undefined
    builder ??= new TableBuilder(names)
    builder.add(record.values)
    at = record.next
    if (number % STEP_ROWS === 0) yield
  }
  return builder === undefined ? undefined : { table: builder.table(), next: at }
}

interface OneRecord {
  readonly names: readonly string[]
  readonly values: readonly Cell[]
  readonly isUnclear: boolean
  readonly next: number
}

function recordIn(lines: readonly string[], start: number, form: Form): OneRecord {
  const names: string[] = []
  const values: string[] = []
  let at = start
  let isUnclear = false
  for (; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line === '' || form.head.test(line) || /^\d+ rows? in set\b/.test(line)) break
    const more = form === EXPANDED ? /^ +\| ?(.*)$/.exec(line)?.[1] : undefined
    const last = values.at(-1)
    if (more !== undefined && last?.endsWith('+') === true)
      values[values.length - 1] = `${last.slice(0, -1).trimEnd()}\n${more}`
    else {
      const [, name, value] = form.field.exec(line) ?? []
      if (name === undefined || value === undefined) isUnclear = true
      else {
        names.push(name)
        values.push(value)
      }
    }
  }
  return { names, values: values.map(nullOr), isUnclear, next: at }
}
