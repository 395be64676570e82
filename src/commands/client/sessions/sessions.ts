import { oneLine, printableJson } from '../../../basics/text/printable.ts'
import type { ItemColumn } from '../../../basics/text/table.ts'
import { sizeText } from '../../../basics/text/units.ts'
import type { Account } from '../../../client/account/account.ts'
import {
  beginningOf,
  killSession,
  openOutput,
  runbookOf,
  userOf,
  type RecordedSession,
} from '../../../client/rest/sessions.ts'
import {
  asking,
  type AskingFlags,
  isJson,
  type ListingFlags,
  showingCommand,
  printList,
  unlessLacking,
  factLines,
} from '../asking/asking.ts'
import { readLimit, askedSpan } from '../input.ts'
import { meantConnection } from '../report/failures.ts'
import type { NoticeFlags } from '../report/notices.ts'
import { moment, shortMoment, took, connectionCount, scriptText } from '../report/words.ts'
import { agentAwayText } from '../terminal/progress.ts'
import { findSession, wholeId, newest, type SessionWish, type TextSearch } from './find.ts'
import { statementsText, withStatements } from './statements.ts'

/** Shows a session without its output, but with the first statements of native clients. */
export function showCommand(id: string, flags: AskingFlags): Promise<number> {
  return showingCommand(
    flags,
    `cannot show session ${id}`,
    async (account) => withStatements(account, await findSession(account, id), isJson(flags)),
    (session, width) => sessionDetails(session) + statementsText(session.statements, width),
  )
}

/** Prints the output so far, byte for byte. */
export async function outputCommand(id: string, { profile }: AskingFlags): Promise<number> {
  return asking(profile, `cannot read the output of session ${id}`, async (account, stdout) => {
    const output = await openOutput(account, await wholeId(account, id))
    for await (const piece of output) await stdout.write(piece)
  })
}

/** Stops a session. Says whether the session was stopped now or had already ended. */
export async function killCommand(
  id: string,
  { quiet = false, json = false, profile }: NoticeFlags & AskingFlags,
): Promise<number> {
  return asking(profile, `cannot stop session ${id}`, async (account, stdout) => {
    const { id: whole, status } = await findSession(account, id)
    const hasEnded = status === 'done'
    if (!hasEnded) await killSession(account, whole)
    if (json) return stdout.write(Buffer.from(`${printableJson((await findSession(account, whole)).raw)}\n`))
    const what = oneLine(`session ${whole}`)
    if (!quiet) process.stderr.write(hasEnded ? `${what} had ended already\n` : `stopped ${what}\n`)
  })
}

export interface FilterFlags extends AskingFlags {
  readonly connection?: string
  readonly user?: string
  readonly runbook?: string
  readonly status?: string
  readonly kind?: string
  readonly parameter?: string
  readonly text?: string
  readonly schedule?: string
  readonly since?: string
  readonly until?: string
}

export interface ListFlags extends FilterFlags, ListingFlags {
  readonly limit: string
}

const LIST = { things: 'sessions', endpoint: 'GET /api/sessions' }

/** @throws Failure for a wrong time */
export function wishOf(flags: FilterFlags): SessionWish {
  const { connection, user, runbook, status, kind, parameter, text, schedule } = flags
  return { connection, user, runbook, status, kind, parameter, text, schedule, ...askedSpan(flags) }
}

export async function listCommand(flags: ListFlags): Promise<number> {
  const { connection } = flags
  const limit = readLimit(flags.limit)
  const wish = wishOf(flags)
  return asking(flags.profile, 'cannot list sessions', async (account, stdout) => {
    const sessions = await unlessLacking(account, LIST, found(account, wish, limit))
    await printList(flags, SESSION_COLUMNS, sessions, stdout)
    if (sessions.length === 0 && connection !== undefined) await sayMeant(account, connection)
  })
}

async function found(account: Account, wish: SessionWish, limit: number): Promise<RecordedSession[]> {
  const sessions: RecordedSession[] = []
  for await (const session of newest(account, wish, limit, saySearched)) sessions.push(session)
  return sessions
}

/** Says what a search for a text could not look at. */
function saySearched({ lookedAt: { sessions, is_complete: isComplete }, shortened }: TextSearch): void {
  if (!isComplete)
    process.stderr.write(
      `searched only the newest ${sessions} sessions that match the other filters; narrow them to search older ones\n`,
    )
  if (shortened > 0)
    process.stderr.write(
      `searched only the first 1,024 characters of the parameters of ${shortened} of these sessions, which have more\n`,
    )
}

/**
 * Suggests a similar name. An unknown connection is no failure, because a deleted connection still has
 * sessions.
 */
async function sayMeant(account: Account, connection: string): Promise<void> {
  const meant = await meantConnection(account, connection)
  if (meant !== '') process.stderr.write(`runbook-agent: no sessions of ${oneLine(connection)}${meant}\n`)
}

/**
 * Maximum number of lines of a script that are shown, because a script may have megabytes. `--json` prints
 * all lines.
 */
const SCRIPT_LINES = 40

export function sessionDetails(session: RecordedSession): string {
  const { start_date: asked, approved_at: approved, end_date: end } = session
  const began = beginningOf(session)
  const lines: [string, string][] = [
    ['session', session.id],
    ['connection', placeText(session)],
    ['user', userOf(session)],
    ['verb', session.verb],
    ['status', stateText(session) ?? session.status],
    ['review', session.review?.status ?? ''],
    ['exit code', codeText(session)],
    ['asked', moment(asked)],
    ['approved', moment(approved)],
    ['began', moment(began)],
    ['ended', moment(end)],
    ['took', took(began, end)],
    ['output', sizeText(session.event_size)],
    ...jiraFacts(session),
    ...texts(session.labels),
    ...texts(session.metadata),
    ['correlation', session.correlation_id],
  ]
  return `${factLines(lines)}${scriptText(session, SCRIPT_LINES)}`
}

/** Returns the issue and its move. hoop's sessions have no move. */
function jiraFacts(session: RecordedSession): [string, string][] {
  const { integrations_metadata: issue, jira_transition: move } = session
  if (issue === undefined) return []
  return [
    ['jira issue', `${issue.jira_issue_key} ${issue.jira_issue_url}`.trim()],
    ['jira status', move === undefined ? '' : moveText(move)],
  ]
}

function moveText({ status, attempts, error }: NonNullable<RecordedSession['jira_transition']>): string {
  const word = MOVES[status] ?? status
  return error === '' ? word : `${word}, failed attempts: ${attempts} (${error})`
}

const MOVES: Readonly<Record<string, string>> = {
  pending: 'not moved yet',
  done: 'moved',
  skipped: 'keeps its status, because the session did not run or failed',
  'given-up': 'not moved: too many attempts failed',
}

function texts(fields: Readonly<Record<string, unknown>> = {}): [string, string][] {
  return Object.entries(fields).map(([key, content]) => [
    key,
    typeof content === 'string' ? content : JSON.stringify(content),
  ])
}

export const SESSION_COLUMNS: readonly ItemColumn<RecordedSession>[] = [
  { heading: 'ID', of: ({ id }) => id.slice(0, 8), whole: ({ id }) => id },
  {
    heading: 'ASKED',
    leftOut: 5,
    of: ({ start_date: asked }) => moment(asked),
    short: ({ start_date: asked }) => shortMoment(asked),
  },
  { heading: 'TOOK', leftOut: 1, of: (session) => took(beginningOf(session), session.end_date) },
  { heading: 'USER', shrinks: true, leftOut: 3, of: userOf },
  { heading: 'CONNECTION', shrinks: true, of: placeText },
  {
    heading: 'RUNBOOK',
    shrinks: 'last',
    leftOut: 4,
    of: (session) => runbookOf(session) ?? `(${session.verb})`,
  },
  { heading: 'STATUS', of: statusText, short: shortStatus },
  { heading: 'CODE', of: codeText },
  { heading: 'OUTPUT', leftOut: 2, of: ({ event_size: bytes }) => sizeText(bytes) },
]

/**
 * Returns the connections. The session of a waiting batch stands for all connections of the batch. After the
 * start, it stands only for the first one.
 */
function placeText({ connection, review }: RecordedSession): string {
  const { status = '', batch } = review ?? {}
  if (batch === undefined || status === 'PROCESSING' || status === 'EXECUTED') return connection
  return connectionCount(batch.connections)
}

function statusText(session: RecordedSession): string {
  return stateText(session) ?? (session.review?.status === 'PENDING' ? 'waits for approval' : session.status)
}

/** Returns the status without its reason, and without since when. */
function shortStatus(session: RecordedSession): string {
  return (session.state?.text ?? statusText(session)).replace(/, .*/s, '')
}

function codeText({ exit_code: code, end_date: end }: RecordedSession): string {
  return code === undefined || end === '' ? '' : String(code)
}

/** Returns undefined for hoop's sessions, which have no state. */
function stateText({ state }: Pick<RecordedSession, 'state'>): string | undefined {
  if (state === undefined) return undefined
  if (state.until !== '') return agentAwayText(state)
  return state.since === '' ? state.text : `${state.text} since ${moment(state.since)}`
}
