import { oneLine } from '../../../basics/text/one-line.ts'
import { textTable, type TableColumn } from '../../../basics/text/table.ts'
import type { Account } from '../../../client/account/account.ts'
import { newestAuditEntries, type AuditWish, type ListedAuditEntry } from '../../../client/rest/audit.ts'
import { asking, printAnswer, unlessLacking, type AskingFlags } from '../account/asking.ts'
import { readLimit } from '../input/limit.ts'
import { askedMoment } from '../sessions/list.ts'

export interface AuditListFlags extends AskingFlags {
  readonly actor?: string
  readonly type?: string
  readonly action?: string
  readonly failed?: boolean
  readonly since?: string
  readonly until?: string
  readonly limit: string
}

export const AUDIT_ENDPOINT = { things: 'audit log', endpoint: 'GET /api/audit/logs' }

const COLUMNS: readonly TableColumn[] = [
  { heading: 'TIME' },
  { heading: 'ACTOR', shrinks: true },
  { heading: 'ACTION' },
  { heading: 'TYPE' },
  { heading: 'WHAT', shrinks: true, leftOut: 1 },
  { heading: 'RESULT' },
  { heading: 'FROM', shrinks: true, leftOut: 2 },
]

/** `runbook-agent audit list`: the newest that match all filters. */
export async function auditListCommand(flags: AuditListFlags): Promise<number> {
  const { actor, type, action, failed, since, until } = flags
  const limit = readLimit(flags.limit)
  const wish: AuditWish = {
    ...{ actor, type, action, outcome: failed === true ? false : undefined },
    from: since === undefined ? undefined : askedMoment(since, '--since'),
    to: until === undefined ? undefined : askedMoment(until, '--until'),
  }
  return asking(flags.profile, 'cannot list the audit log', async (account, stdout) => {
    const entries = await unlessLacking(account, AUDIT_ENDPOINT, found(account, wish, limit))
    const raw = entries.map((entry) => entry.raw)
    await printAnswer(flags, raw, (width) => textTable(COLUMNS, entries.map(cells), width), stdout)
  })
}

async function found(account: Account, wish: AuditWish, limit: number): Promise<ListedAuditEntry[]> {
  const entries: ListedAuditEntry[] = []
  for await (const entry of newestAuditEntries(account, wish, limit)) entries.push(entry)
  return entries
}

function cells(entry: ListedAuditEntry): string[] {
  const { created_at: time, actor_name: actor, action, resource_type: type, http_status: status } = entry
  const result = entry.outcome ? 'ok' : 'failed'
  const shown = status === 0 ? result : `${result} ${status}`
  const thing = entry.resource_id || entry.http_path
  return [time, actor || '-', action, type, thing, shown, entry.client_ip].map(oneLine)
}
