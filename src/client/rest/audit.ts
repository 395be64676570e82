import { auditContract, type AuditEntryAnswer } from '../../contract/audit.ts'
import type { Account } from '../account/account.ts'
import { call, type Read } from './call.ts'

/** Make the texts of entries printable before you show them. */
export type ListedAuditEntry = Read<AuditEntryAnswer>

export interface AuditWish {
  readonly actor?: string | undefined
  readonly type?: string | undefined
  readonly action?: string | undefined
  readonly outcome?: boolean | undefined
  readonly from?: Date | undefined
  readonly to?: Date | undefined
}

const PAGE = 100

/** The newest that match all wishes. @throws ApiError */
export async function* newestAuditEntries(
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

/** All that stand behind a sequence, the oldest first. @throws ApiError */
export async function* auditEntriesAfter(
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

function options({ actor, type, action, outcome, from, to }: AuditWish): Record<string, string> {
  return {
    ...(actor !== undefined && { actor_subject: actor }),
    ...(type !== undefined && { resource_type: type }),
    ...(action !== undefined && { action }),
    ...(outcome !== undefined && { outcome: String(outcome) }),
    ...(from !== undefined && { created_after: from.toISOString() }),
    ...(to !== undefined && { created_before: to.toISOString() }),
  }
}
