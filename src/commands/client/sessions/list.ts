import { oneLine } from '../../../basics/text/one-line.ts'
import { parseDuration } from '../../../basics/text/units.ts'
import type { Account } from '../../../client/account/account.ts'
import type { RecordedSession } from '../../../client/rest/sessions.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { asking, printAnswer, unlessLacking, type AskingFlags } from '../account/asking.ts'
import { readLimit } from '../input/limit.ts'
import { newest, type SessionWish } from './find.ts'
import { sessionTable } from './table.ts'

export interface ListFlags extends AskingFlags {
  readonly connection?: string
  readonly user?: string
  readonly runbook?: string
  readonly status?: string
  readonly since?: string
  readonly until?: string
  readonly limit: string
}

const LIST = { things: 'sessions', endpoint: 'GET /api/sessions' }

/** `runbook-agent sessions list`: the newest that match all filters. */
export async function listCommand(flags: ListFlags): Promise<number> {
  const { connection, user, runbook, status } = flags
  const limit = readLimit(flags.limit)
  const { from, to } = askedSpan(flags)
  return asking(flags.profile, 'cannot list sessions', async (account, stdout) => {
    const wish = { connection, user, runbook, status, from, to }
    const sessions = await unlessLacking(account, LIST, found(account, wish, limit))
    const raw = sessions.map((session) => session.raw)
    await printAnswer(flags, raw, (width) => sessionTable(sessions, width), stdout)
    if (sessions.length === 0 && connection !== undefined) await sayMeant(account, connection)
  })
}

async function found(account: Account, wish: SessionWish, limit: number): Promise<RecordedSession[]> {
  const sessions: RecordedSession[] = []
  for await (const session of newest(account, wish, limit)) sessions.push(session)
  return sessions
}

/** @throws Failure, exit code 64 */
export function askedSpan({
  since,
  until,
}: Pick<ListFlags, 'since' | 'until'>): Pick<SessionWish, 'from' | 'to'> {
  const from = since === undefined ? undefined : askedMoment(since, '--since')
  const to = until === undefined ? undefined : askedMoment(until, '--until')
  if (from === undefined || to === undefined || from <= to) return { from, to }
  throw new Failure('--since is later than --until: no session can be between them', exitCodes.usage)
}

const MOMENT = /^(\d{4}-\d\d-(\d\d))(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/

/** A duration back from now, a day, or a moment; without a zone in that of this machine. @throws Failure, exit code 64 */
export function askedMoment(text: string, flag: string, now = Date.now()): Date {
  const ago = parseDuration(text)
  const ms = ago === undefined ? parseMoment(text) : now - ago
  if (ms >= 0) return new Date(ms)
  throw new Failure(
    `${flag} is a time such as 2h, 7d, 2026-01-31, 2026-01-31T14:30 or 2026-01-31T14:30:00Z`,
    exitCodes.usage,
  )
}

/** NaN for anything else. */
function parseMoment(text: string): number {
  const [, day, ofMonth] = MOMENT.exec(text) ?? []
  // JavaScript would take the 30th of February for the 2nd of March.
  if (day === undefined || new Date(`${day}T00:00:00Z`).getUTCDate() !== Number(ofMonth)) return NaN
  return Date.parse(text === day ? `${day}T00:00:00` : text.replace(' ', 'T'))
}

/** A misspelt connection has no sessions. One that is gone may have some, so this is no error. */
async function sayMeant(account: Account, connection: string): Promise<void> {
  const { meantConnection } = await import('../directory/connections.ts')
  const meant = await meantConnection(account, connection)
  if (meant !== '') process.stderr.write(`runbook-agent: no sessions of ${oneLine(connection)}${meant}\n`)
}
