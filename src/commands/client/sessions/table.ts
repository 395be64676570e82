import { oneLine } from '../../../basics/text/one-line.ts'
import type { RecordedSession } from '../../../client/rest/sessions.ts'
import { durationText, sizeText } from '../../status/format.ts'

const HEADINGS = ['ID', 'STARTED', 'TOOK', 'USER', 'CONNECTION', 'VERB', 'STATUS', 'CODE', 'OUTPUT'] as const
/** Columns that shrink on a narrow terminal, down to this many characters or their heading. */
const SHRINKING: readonly (typeof HEADINGS)[number][] = ['USER', 'CONNECTION']
const NARROWEST = 6
/** Columns that are left out when that is not enough, in this order. */
const DISPENSABLE: readonly (typeof HEADINGS)[number][] = ['TOOK', 'OUTPUT', 'VERB', 'USER', 'STARTED']
const GAP = 2

type Row = Readonly<Record<(typeof HEADINGS)[number], string>>

/** Sessions for a terminal of this width: one line each, below a heading. */
export function sessionTable(sessions: readonly RecordedSession[], width: number): string {
  const rows = [Object.fromEntries(HEADINGS.map((name) => [name, name])) as Row, ...sessions.map(row)]
  const columns = columnsFor(rows, width)
  return rows.map((cells) => `${line(cells, columns)}\n`).join('')
}

function row(session: RecordedSession): Row {
  const { id, startedAt, endedAt, user, connection, verb, status, exitCode, outputBytes } = session
  return {
    ID: oneLine(id.slice(0, 8)),
    STARTED: moment(startedAt),
    TOOK: took(startedAt, endedAt),
    USER: oneLine(user),
    CONNECTION: oneLine(connection),
    VERB: oneLine(verb),
    STATUS: oneLine(session.review === 'PENDING' ? 'in review' : status),
    CODE: exitCode === undefined || endedAt === undefined ? '' : String(exitCode),
    OUTPUT: sizeText(outputBytes),
  }
}

interface Column {
  readonly name: (typeof HEADINGS)[number]
  readonly least: number
  width: number
}

function columnsFor(rows: readonly Row[], width: number): Column[] {
  let columns = HEADINGS.map((name) => columnOf(name, rows))
  for (const name of DISPENSABLE)
    if (total(columns.map(({ least }) => least)) > width) columns = columns.filter((one) => one.name !== name)
  for (const column of columns) {
    const excess = total(columns.map((one) => one.width)) - width
    if (excess > 0) column.width = Math.max(column.least, column.width - excess)
  }
  return columns
}

function columnOf(name: (typeof HEADINGS)[number], rows: readonly Row[]): Column {
  const width = Math.max(...rows.map((cells) => lengthOf(cells[name])))
  const least = SHRINKING.includes(name) ? Math.min(width, Math.max(NARROWEST, name.length)) : width
  return { name, width, least }
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + GAP, -GAP)
}

function line(cells: Row, columns: readonly Column[]): string {
  return columns
    .map(({ name, width }) => fitted(cells[name], width))
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

/** In this machine's time zone: `2026-01-31 14:30:00`. */
export function moment(text: string): string {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) return ''
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 19).replace('T', ' ')
}

/** Empty while the session runs. */
export function took(startedAt: string, endedAt: string | undefined): string {
  const ms = Date.parse(endedAt ?? '') - Date.parse(startedAt)
  if (!(ms >= 0)) return ''
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)}s` : durationText(ms / 1000)
}
