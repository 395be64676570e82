import { oneLine, printableJson } from '../../basics/text/printable.ts'
import type { Account } from '../../client/account/account.ts'
import { call, type Read } from '../../client/rest/call.ts'
import {
  type ListedSchedule,
  type ScheduleAnswer,
  scheduleContract,
  type ScheduleRunAnswer,
} from '../../contract/schedules.ts'
import { exitCodes, Failure } from '../exit-codes.ts'
import {
  asking,
  type AskingFlags,
  factLines,
  listingCommand,
  type ListingFlags,
  showingCommand,
} from './asking/asking.ts'
import { itemTable, type ItemColumn } from '../../basics/text/table.ts'
import { moment } from './report/words.ts'

export interface ScheduleFlags extends AskingFlags {
  readonly quiet?: boolean
}

type ScheduleRunRead = Read<ScheduleRunAnswer>

const COLUMNS: readonly ItemColumn<Read<ListedSchedule>>[] = [
  { heading: 'NAME', shrinks: 'last', of: ({ name }) => name },
  { heading: 'CRON', of: ({ cron }) => cron },
  { heading: 'TIMEZONE', leftOut: 2, of: ({ timezone }) => timezone },
  { heading: 'RUNBOOK', shrinks: true, of: ({ runbook }) => runbook },
  { heading: 'CONNECTION', shrinks: true, leftOut: 1, of: ({ connection }) => connection },
  { heading: 'AS', shrinks: true, leftOut: 3, of: ({ as }) => as },
  { heading: 'NEXT', of: nextText },
  { heading: 'LAST', of: lastText },
]

const RUN_COLUMNS: readonly ItemColumn<ScheduleRunRead>[] = [
  { heading: 'DUE', of: ({ due_at: dueAt, at }) => moment(dueAt || at) },
  { heading: 'STATUS', of: ({ status }) => wordFor(status) },
  { heading: 'SESSION', of: ({ session_id: session }) => session.slice(0, 8) },
  { heading: 'BY', leftOut: 1, of: ({ by }) => by },
  { heading: 'REASON', shrinks: true, of: ({ reason }) => reason },
]

const LIST = {
  things: 'schedules',
  endpoint: 'GET /api/schedules',
  fetch: (account: Account) => call(account, scheduleContract.list, {}),
  columns: COLUMNS,
}

export function schedulesCommand(flags: ListingFlags): Promise<number> {
  return listingCommand(flags, LIST)
}

export function scheduleCommand(name: string, flags: AskingFlags): Promise<number> {
  const problem = `cannot show schedule ${name}`
  return showingCommand(
    flags,
    problem,
    (account) => call(account, scheduleContract.show, { name }),
    scheduleDetails,
  )
}

/** Maximum wait for the answer. Before it answers, the gateway reads the runbook and may call Jira. */
const RUN_MS = 300_000

/** Prints the id of the new session, which runs or waits for approval. */
export async function runScheduleCommand(name: string, flags: ScheduleFlags): Promise<number> {
  return asking(flags.profile, `cannot run schedule ${name}`, async (account, stdout) => {
    const run = await call(account, scheduleContract.run, { name }, { answerMs: RUN_MS })
    if (run.status === 'failed' && run.session_id === '')
      throw new Failure(oneLine(`schedule ${name} could not run: ${run.reason}`), exitCodes.unreachable)
    const text = flags.json === true ? printableJson(run.raw) : oneLine(run.session_id)
    await stdout.write(Buffer.from(`${text}\n`))
    if (flags.quiet !== true && flags.json !== true) process.stderr.write(`runbook-agent: ${wayOn(run)}\n`)
  })
}

function wayOn({ status, session_id: session }: ScheduleRunRead): string {
  if (status === 'waiting')
    return oneLine(`session ${session} waits for approval; the gateway runs the session after the approval`)
  return oneLine(`to see the output: runbook-agent sessions follow ${session}`)
}

export async function pauseCommand(name: string, isPaused: boolean, flags: ScheduleFlags): Promise<number> {
  const word = isPaused ? 'pause' : 'resume'
  const operation = scheduleContract[word]
  return asking(flags.profile, `cannot ${word} schedule ${name}`, async (account, stdout) => {
    const { raw, next_run: next } = await call(account, operation, { name })
    if (flags.json === true) return stdout.write(Buffer.from(`${printableJson(raw)}\n`))
    const when = next === '' ? 'no next run is planned' : `the next run is at ${next}`
    if (flags.quiet !== true) process.stderr.write(`runbook-agent: ${oneLine(`${name}: ${when}`)}\n`)
  })
}

function nextText({ enabled, paused_at: pausedAt, next_run: next }: Read<ListedSchedule>): string {
  if (!enabled) return 'off'
  return pausedAt === '' ? moment(next) || 'never' : 'paused'
}

function lastText({ last_run: last }: Read<ListedSchedule>): string {
  return last === undefined ? '' : `${wordFor(last.status)} ${moment(last.due_at || last.at)}`
}

function scheduleDetails(schedule: Read<ScheduleAnswer>, width: number): string {
  const { name, cron, timezone, runbook, connection, as, problem, runs } = schedule
  const { paused_at: pausedAt, paused_by: pausedBy } = schedule
  const facts = factLines([
    ['schedule', name],
    ['due', `${cron} (${timezone})`],
    ['runs', `${runbook} on ${connection}, as ${as}`],
    ['next', nextText(schedule)],
    ['then', schedule.next_runs.slice(1).map(moment).join(', ')],
    ['paused', pausedAt === '' ? '' : `by ${pausedBy} at ${moment(pausedAt)}`],
    ['problem', problem],
  ])
  return runs.length === 0 ? facts : `${facts}\n${itemTable(RUN_COLUMNS, runs, width)}`
}

function wordFor(status: string): string {
  return status === 'success' ? 'succeeded' : status
}
