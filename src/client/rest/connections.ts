import { connectionContract, type ListedConnectionAnswer } from '../../contract/connections.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from './http/api-error.ts'
import { call, type Read } from './http/call.ts'

/**
 * A connection as the gateway shows it. Make its texts printable before you show them. On the embedded gateway
 * `agent_id` is the agent's name, on hoop's its id. `raw` has no values of secrets, which hoop's sends to admins.
 */
export type ListedConnection = Read<ListedConnectionAnswer>

/** The names of the connections that the user may see. @throws ApiError */
export async function fetchConnectionNames(
  account: Account,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  return (await listConnections(account, signal)).map(({ name }) => name)
}

/** Like `fetchConnectionNames`, for a hint: empty when the gateway does not answer. */
export async function connectionNamesIfKnown(
  account: Account,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  try {
    return await fetchConnectionNames(account, signal)
  } catch (error) {
    if (error instanceof ApiError) return []
    throw error
  }
}

/** @throws ApiError */
export async function listConnections(
  account: Account,
  signal?: AbortSignal,
): Promise<readonly ListedConnection[]> {
  const listed = await call(account, connectionContract.list, {}, { signal })
  return ('pages' in listed ? listed.data : listed).map(withoutSecrets)
}

/** @throws ApiError `not-found` */
export async function fetchConnection(account: Account, name: string): Promise<ListedConnection> {
  return withoutSecrets(await call(account, connectionContract.show, { name }))
}

/** What a connection is open for: `runbooks`, `exec`, `connect`. */
export function modesOf(connection: ListedConnection): readonly string[] {
  const modes = ['runbooks', 'exec', 'connect'] as const
  return modes.filter((mode) => connection[`access_mode_${mode}`] === 'enabled')
}

/** hoop's field for variables and files is an object of names and values in base64. */
function withoutSecrets(connection: ListedConnection): ListedConnection {
  const { secret } = connection.raw as { readonly secret?: unknown }
  if (typeof secret !== 'object' || secret === null) return connection
  const names = Object.keys(secret).map((name) => [name, null] as const)
  return { ...connection, raw: { ...connection.raw, secret: Object.fromEntries(names) } }
}
