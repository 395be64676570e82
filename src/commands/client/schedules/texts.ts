import { oneLine } from '../../../basics/text/one-line.ts'
import { textTable, type TableColumn } from '../../../basics/text/table.ts'
import type { Read } from '../../../client/rest/http/call.ts'
import type { ListedSchedule, ScheduleAnswer, ScheduleRunAnswer } from '../../../contract/schedules.ts'
import { factLines } from '../account/asking.ts'
import { moment } from '../sessions/table.ts'

/** A run of a schedule, as a gateway of any version has answered it. */
export type ScheduleRunRead = Read<ScheduleRunAnswer>

const COLUMNS: readonly TableColumn[] = [
  { heading: 'NAME', shrinks: true },
  { heading: 'CRON' },
  { heading: 'TIMEZONE', leftOut: 2 },
  { heading: 'RUNBOOK', shrinks: true },
  { heading: 'CONNECTION', shrinks: true, leftOut: 1 },
  { heading: 'AS', shrinks: true, leftOut: 3 },
  { heading: 'NEXT' },
  { heading: 'LAST' },
]

/** One line for each schedule, below a heading. */
export function scheduleTable(schedules: readonly Read<ListedSchedule>[], width: number): string {
  const rows = schedules.map((schedule) => {
    const { name, cron, timezone, runbook, connection, as, last_run: last } = schedule
    const lastText = last === undefined ? '' : `${last.status} ${moment(last.due_at || last.at)}`
    return [name, cron, timezone, runbook, connection, as, nextText(schedule), lastText].map(oneLine)
  })
  return textTable(COLUMNS, rows, width)
}

function nextText({ enabled, paused_at: pausedAt, next_run: next }: Read<ListedSchedule>): string {
  if (!enabled) return 'off'
  return pausedAt === '' ? moment(next) || 'never' : 'paused'
}

const RUN_COLUMNS: readonly TableColumn[] = [
  { heading: 'DUE' },
  { heading: 'STATUS' },
  { heading: 'SESSION' },
  { heading: 'BY', leftOut: 1 },
  { heading: 'REASON', shrinks: true },
]

/** What it is, what is wrong with it, and its last runs. */
export function scheduleDetails(schedule: Read<ScheduleAnswer>, width: number): string {
  const { name, cron, timezone, runbook, connection, as, problem, runs } = schedule
  const { paused_at: pausedAt, paused_by: pausedBy } = schedule
  const facts = factLines([
    ['schedule', name],
    ['due', `${cron} (${timezone})`],
    ['runs', `${runbook} on ${connection}, as ${as}`],
    ['next', nextText(schedule)],
    ['paused', pausedAt === '' ? '' : `by ${pausedBy} at ${moment(pausedAt)}`],
    ['problem', problem],
  ])
  return runs.length === 0 ? facts : `${facts}\n${textTable(RUN_COLUMNS, runs.map(runRow), width)}`
}

function runRow({ due_at: dueAt, at, status, session_id: session, by, reason }: ScheduleRunRead): string[] {
  return [moment(dueAt || at), status, session.slice(0, 8), by, reason].map(oneLine)
}
