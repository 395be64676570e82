import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { askJson } from './http/json.ts'
import { orNoList, RawRunbook, readRunbook, type Runbook } from './runbooks.ts'

/** A runbook, where it can run, and from which commit it is. */
export interface CatalogEntry {
  readonly runbook: Runbook
  readonly connections: readonly string[]
  readonly commit: string
  /** The gateway's item, with `repository` and `commit` beside what it has. */
  readonly raw: object
}

export interface RunbookCatalog {
  readonly entries: readonly CatalogEntry[]
  /** What the gateway could not read. */
  readonly errors: readonly string[]
}

const items = v.nullish(v.array(RawRunbook), [])
const commit = v.nullish(v.string(), '')
const SecondVersion = v.object({
  errors: v.nullish(v.array(v.string()), []),
  repositories: v.nullish(v.array(v.object({ repository: v.string(), commit, items })), []),
})
const FirstVersion = v.object({ items, commit })
const Connections = v.fallback(v.object({ connections: v.array(v.string()) }), { connections: [] })

/**
 * All runbooks, or those of one connection. Undefined when the gateway has no list of them.
 * @throws ApiError `not-found` for a connection that it does not know
 */
export async function fetchCatalog(
  account: Account,
  connection?: string,
  signal?: AbortSignal,
): Promise<RunbookCatalog | undefined> {
  return (
    (await orNoList(secondVersion(account, connection, signal))) ??
    (await orNoList(firstVersion(account, connection, signal)))
  )
}

async function secondVersion(
  account: Account,
  connection: string | undefined,
  signal: AbortSignal | undefined,
): Promise<RunbookCatalog> {
  const query = new URLSearchParams({ list_connections: 'true' })
  if (connection !== undefined) query.set('connection_name', connection)
  const path = `/api/runbooks?${query.toString()}`
  const { value } = await askJson(account, { method: 'GET', path, signal }, SecondVersion)
  const entries = value.repositories.flatMap((one) =>
    one.items.map((raw) => entryOf(raw, { repository: one.repository, commit: one.commit, connection })),
  )
  return { entries, errors: value.errors }
}

async function firstVersion(
  account: Account,
  connection: string | undefined,
  signal: AbortSignal | undefined,
): Promise<RunbookCatalog> {
  const place = connection === undefined ? '' : `connections/${encodeURIComponent(connection)}/`
  const path = `/api/plugins/runbooks/${place}templates`
  const { value } = await askJson(account, { method: 'GET', path, signal }, FirstVersion)
  const entries = value.items.map((raw) =>
    entryOf(raw, { repository: undefined, commit: value.commit, connection }),
  )
  return { entries, errors: [] }
}

interface Origin {
  readonly repository: string | undefined
  readonly commit: string
  /** The one that was asked for: the first version's list does not repeat it. */
  readonly connection: string | undefined
}

function entryOf(
  raw: v.InferOutput<typeof RawRunbook>,
  { repository, commit: from, connection }: Origin,
): CatalogEntry {
  const { connections } = v.parse(Connections, raw)
  return {
    runbook: readRunbook(raw, repository),
    connections: connections.length === 0 && connection !== undefined ? [connection] : connections,
    commit: from,
    raw: { ...raw, repository: repository ?? null, commit: from },
  }
}
