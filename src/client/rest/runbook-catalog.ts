import { runbookContract, type RunbookAnswer } from '../../contract/runbooks.ts'
import type { Account } from '../account/account.ts'
import { call, type Read } from './http/call.ts'
import { orNoList, toRunbook, type Runbook } from './runbooks.ts'

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
  const query = {
    list_connections: 'true',
    ...(connection !== undefined && { connection_name: connection }),
  }
  const { repositories, errors } = await call(account, runbookContract.list, {}, { query, signal })
  const entries = repositories.flatMap(({ repository, commit, items }) =>
    items.map((item) => entryOf(item, { repository, commit, connection })),
  )
  return { entries, errors }
}

async function firstVersion(
  account: Account,
  connection: string | undefined,
  signal: AbortSignal | undefined,
): Promise<RunbookCatalog> {
  const { templates, connectionTemplates } = runbookContract
  const { items, commit } = await (connection === undefined
    ? call(account, templates, {}, { signal })
    : call(account, connectionTemplates, { name: connection }, { signal }))
  const entries = items.map((item) => entryOf(item, { repository: undefined, commit, connection }))
  return { entries, errors: [] }
}

interface Origin {
  readonly repository: string | undefined
  readonly commit: string
  /** The one that was asked for: the first version's list does not repeat it. */
  readonly connection: string | undefined
}

function entryOf(item: Read<RunbookAnswer>, { repository, commit, connection }: Origin): CatalogEntry {
  const { connections = [], raw } = item
  return {
    runbook: toRunbook(item, repository),
    connections: connections.length === 0 && connection !== undefined ? [connection] : connections,
    commit,
    raw: { ...raw, repository: repository ?? null, commit },
  }
}
