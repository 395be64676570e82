import type { ItemColumn } from '../../../basics/text/table.ts'
import type { Account } from '../../../client/account/account.ts'
import { call, type Read } from '../../../client/rest/call.ts'
import { auditContract, type AuditEntryAnswer } from '../../../contract/audit.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { asking, type AskingFlags, type ListingFlags, unlessLacking, printList } from '../asking/asking.ts'
import { readLimit, askedMoment } from '../input.ts'

export interface AuditListFlags extends ListingFlags {
  readonly actor?: string
  readonly type?: string
  readonly action?: string
  readonly failed?: boolean
  readonly who?: string
  readonly text?: string
  readonly since?: string
  readonly until?: string
  readonly limit: string
}

const AUDIT_ENDPOINT = { things: 'audit log', endpoint: 'GET /api/audit/logs' }

const COLUMNS: readonly ItemColumn<ListedAuditEntry>[] = [
  { heading: 'TIME', of: ({ created_at: time }) => time },
  { heading: 'ACTOR', shrinks: true, of: ({ actor_name: actor }) => actor || '-' },
  { heading: 'DID', of: didText },
  { heading: 'WHAT', shrinks: true, leftOut: 1, of: whatText },
  { heading: 'RESULT', of: resultText },
  { heading: 'FROM', shrinks: true, leftOut: 2, of: ({ client_ip: ip }) => ip },
]

export async function auditListCommand(flags: AuditListFlags): Promise<number> {
  const { actor, type, action, failed, who, text, since, until } = flags
  const limit = readLimit(flags.limit)
  const wish: AuditWish = {
    actor,
    type,
    action,
    who,
    text,
    outcome: failed === true ? false : undefined,
    from: since === undefined ? undefined : askedMoment(since, '--since'),
    to: until === undefined ? undefined : askedMoment(until, '--until'),
  }
  return asking(flags.profile, 'cannot list the audit log', async (account, stdout) => {
    const entries = await unlessLacking(account, AUDIT_ENDPOINT, found(account, wish, limit))
    await printList(flags, COLUMNS, entries, stdout)
  })
}

async function found(account: Account, wish: AuditWish, limit: number): Promise<ListedAuditEntry[]> {
  const entries: ListedAuditEntry[] = []
  for await (const entry of newestAuditEntries(account, wish, limit)) entries.push(entry)
  return entries
}

/** hoop's gateway sends no words. */
function didText({ did, action, resource_type: type }: ListedAuditEntry): string {
  return did || `${action} ${type}`
}

/** A failed sign-in of an agent has only the name that its caller claims. */
function whatText(entry: ListedAuditEntry): string {
  const { object_name: name, resource_id: id, http_path: path, claimed_agent: agent } = entry
  return name || id || path || (agent === '' ? '' : `claims to be agent ${agent}`)
}

function resultText({ http_status: status, outcome }: ListedAuditEntry): string {
  const result = outcome ? 'ok' : 'failed'
  return status === 0 ? result : `${result} ${status}`
}

export interface AuditExportFlags extends AskingFlags {
  readonly after: string
}

/** Writes JSON lines for `audit verify --file`, the oldest entry first. */
export async function auditExportCommand(flags: AuditExportFlags): Promise<number> {
  if (!/^\d{1,15}$/.test(flags.after))
    throw new Failure('the value of --after is the sequence number of an entry, or 0', exitCodes.usage)
  return asking(flags.profile, 'cannot export the audit log', async (account, stdout) => {
    const print = async () => {
      for await (const entry of auditEntriesAfter(account, Number(flags.after)))
        await stdout.write(Buffer.from(`${JSON.stringify(entry.raw)}\n`))
    }
    await unlessLacking(account, AUDIT_ENDPOINT, print())
  })
}

/** Make its texts printable before you show them. */
type ListedAuditEntry = Read<AuditEntryAnswer>

interface AuditWish {
  readonly actor?: string | undefined
  readonly type?: string | undefined
  readonly who?: string | undefined
  readonly text?: string | undefined
  readonly action?: string | undefined
  readonly outcome?: boolean | undefined
  readonly from?: Date | undefined
  readonly to?: Date | undefined
}

const PAGE = 100

/** @throws ApiError */
async function* newestAuditEntries(
  account: Account,
  wish: AuditWish,
  limit: number,
): AsyncGenerator<ListedAuditEntry, void> {
  let left = limit
  for (let page = 1; left > 0; page++) {
    const data = await fetchPage(account, { ...options(wish), page: String(page) })
    yield* data.slice(0, left)
    if (data.length < PAGE) return
    left -= data.length
  }
}

/** The oldest entry first. @throws ApiError */
async function* auditEntriesAfter(
  account: Account,
  sequence: number,
): AsyncGenerator<ListedAuditEntry, void> {
  let after = sequence
  for (;;) {
    const data = await fetchPage(account, { after: String(after) })
    yield* data
    const last = data.at(-1)
    if (last === undefined) return
    after = last.sequence
  }
}

async function fetchPage(
  account: Account,
  query: Readonly<Record<string, string>>,
): Promise<readonly ListedAuditEntry[]> {
  const asked = { ...query, page_size: String(PAGE) }
  return (await call(account, auditContract.list, {}, { query: asked })).data
}

function options({ actor, type, action, outcome, who, text, from, to }: AuditWish): Record<string, string> {
  return {
    ...(actor !== undefined && { actor_subject: actor }),
    ...(type !== undefined && { resource_type: type }),
    ...(action !== undefined && { action }),
    ...(who !== undefined && { actor: who }),
    ...(text !== undefined && { text }),
    ...(outcome !== undefined && { outcome: String(outcome) }),
    ...(from !== undefined && { created_after: from.toISOString() }),
    ...(to !== undefined && { created_before: to.toISOString() }),
  }
}
