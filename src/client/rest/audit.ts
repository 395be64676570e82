import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { askJson } from './http/json.ts'

/** An entry of the audit log. Make its texts printable before you show them. */
export interface ListedAuditEntry {
  readonly sequence: number
  readonly createdAt: string
  readonly actor: string
  readonly action: string
  readonly type: string
  readonly id: string
  readonly path: string
  readonly status: number
  readonly outcome: boolean
  readonly ip: string
  /** As the gateway has sent it. */
  readonly raw: object
}

export interface AuditWish {
  readonly actor?: string | undefined
  readonly type?: string | undefined
  readonly action?: string | undefined
  readonly outcome?: boolean | undefined
  readonly from?: Date | undefined
  readonly to?: Date | undefined
}

const PAGE = 100
const Text = v.fallback(v.string(), '')
const Number_ = v.fallback(v.number(), 0)
const Entry = v.object({
  ...{ sequence: Number_, http_status: Number_ },
  ...{ created_at: Text, actor_name: Text, action: Text, resource_type: Text, resource_id: Text },
  ...{ http_path: Text, client_ip: Text },
  outcome: v.fallback(v.boolean(), true),
})
const Page = v.object({ data: v.array(v.looseObject({})) })

/** The newest that match all wishes. @throws ApiError */
export async function* newestAuditEntries(
  account: Account,
  wish: AuditWish,
  limit: number,
): AsyncGenerator<ListedAuditEntry, void> {
  let left = limit
  for (let page = 1; left > 0; page++) {
    const data = await fetchPage(account, { ...options(wish), page: String(page) })
    for (const raw of data.slice(0, left)) yield listed(raw)
    if (data.length < PAGE) return
    left -= data.length
  }
}

/** All that stand behind a sequence, the oldest first, as the gateway has sent them. @throws ApiError */
export async function* auditEntriesAfter(account: Account, sequence: number): AsyncGenerator<object, void> {
  let after = sequence
  for (;;) {
    const data = await fetchPage(account, { after: String(after) })
    yield* data
    const last = data.at(-1)
    if (last === undefined) return
    after = listed(last).sequence
  }
}

async function fetchPage(account: Account, query: Record<string, string>): Promise<readonly object[]> {
  const given = new URLSearchParams({ ...query, page_size: String(PAGE) })
  const path = `/api/audit/logs?${given.toString()}`
  return (await askJson(account, { method: 'GET', path }, Page)).value.data
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

function listed(raw: object): ListedAuditEntry {
  const { sequence, action, outcome, ...facts } = v.parse(Entry, raw)
  return {
    ...{ sequence, action, outcome, raw },
    ...{ createdAt: facts.created_at, actor: facts.actor_name, type: facts.resource_type },
    ...{ id: facts.resource_id, path: facts.http_path, status: facts.http_status, ip: facts.client_ip },
  }
}
