import { oneLine } from '../../../basics/text/one-line.ts'
import { textTable, type TableColumn, type TableRow } from '../../../basics/text/table.ts'
import type { RecordedSession } from '../../../client/rest/sessions.ts'
import { durationText, sizeText } from '../../status/format.ts'

const COLUMNS: readonly TableColumn[] = [
  { heading: 'ID' },
  { heading: 'STARTED', leftOut: 5 },
  { heading: 'TOOK', leftOut: 1 },
  { heading: 'USER', shrinks: true, leftOut: 4 },
  { heading: 'CONNECTION', shrinks: true },
  { heading: 'VERB', leftOut: 3 },
  { heading: 'STATUS', shrinks: true },
  { heading: 'CODE' },
  { heading: 'OUTPUT', leftOut: 2 },
]

/** Sessions for a terminal of this width: one line each, below a heading. */
export function sessionTable(sessions: readonly RecordedSession[], width: number): string {
  return textTable(COLUMNS, sessions.map(row), width)
}

function row(session: RecordedSession): TableRow {
  const { id, startedAt, endedAt, user, connection, verb, status, exitCode, outputBytes } = session
  return [
    oneLine(id.slice(0, 8)),
    moment(startedAt),
    took(startedAt, endedAt),
    oneLine(user),
    oneLine(connection),
    oneLine(verb),
    oneLine(stateText(session) ?? (session.review === 'PENDING' ? 'in review' : status)),
    exitCode === undefined || endedAt === undefined ? '' : String(exitCode),
    sizeText(outputBytes),
  ]
}

/** Undefined for sessions of hoop's gateway. */
export function stateText({ state }: Pick<RecordedSession, 'state'>): string | undefined {
  if (state === undefined) return undefined
  return state.since === '' ? state.text : `${state.text} since ${moment(state.since)}`
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
