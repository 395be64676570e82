import { oneLine } from '../../../basics/text/one-line.ts'
import type { Account } from '../../../client/account/account.ts'
import type { RecordedSession } from '../../../client/rest/sessions.ts'
import { asking, printList, unlessLacking, type AskingFlags } from '../asking/asking.ts'
import { meantConnection } from '../report/failures.ts'
import { readLimit } from '../input/filters.ts'
import { newest, type SessionWish } from './find.ts'
import { SESSION_COLUMNS } from './table.ts'
import { askedSpan } from '../input/filters.ts'

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

/** `runbook-agent sessions list`: the newest sessions that match all filters. */
export async function listCommand(flags: ListFlags): Promise<number> {
  const { connection, user, runbook, status } = flags
  const limit = readLimit(flags.limit)
  const { from, to } = askedSpan(flags)
  return asking(flags.profile, 'cannot list sessions', async (account, stdout) => {
    const wish = { connection, user, runbook, status, from, to }
    const sessions = await unlessLacking(account, LIST, found(account, wish, limit))
    await printList(flags, SESSION_COLUMNS, sessions, stdout)
    if (sessions.length === 0 && connection !== undefined) await sayMeant(account, connection)
  })
}

async function found(account: Account, wish: SessionWish, limit: number): Promise<RecordedSession[]> {
  const sessions: RecordedSession[] = []
  for await (const session of newest(account, wish, limit)) sessions.push(session)
  return sessions
}

/**
 * Suggests a name for a misspelt connection, which has no sessions. A deleted connection may have some, so this is no
 * failure.
 */
async function sayMeant(account: Account, connection: string): Promise<void> {
  const meant = await meantConnection(account, connection)
  if (meant !== '') process.stderr.write(`runbook-agent: no sessions of ${oneLine(connection)}${meant}\n`)
}
