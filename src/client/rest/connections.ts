import { connectionContract, type ListedConnectionAnswer } from '../../contract/connections.ts'
import { jiraContract, type JiraTemplateAnswer } from '../../contract/jira.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from './api-error.ts'
import { call, type Read } from './call.ts'

/**
 * A connection as the gateway shows it. Make its texts printable before you show them.
 * `agent_id` is the agent's name on the embedded gateway, and its id on hoop's. `raw` has no secret values,
 * although hoop's gateway sends them to admins.
 */
export type ListedConnection = Read<ListedConnectionAnswer>

/** @throws ApiError */
export async function fetchConnectionNames(
  account: Account,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  return (await listConnections(account, signal)).map(({ name }) => name)
}

/** Returns an empty list when the request fails. */
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

export function modesOf(connection: ListedConnection): readonly string[] {
  const modes = ['runbooks', 'exec', 'connect'] as const
  const open = modes.filter((mode) => connection[`access_mode_${mode}`] === 'enabled')
  return connection.native_port ? [...open, 'port'] : open
}

/**
 * Replaces the values of secrets by null. hoop's field `secret` maps names of variables and files to values
 * in base64.
 */
function withoutSecrets(connection: ListedConnection): ListedConnection {
  const { secret } = connection.raw as { readonly secret?: unknown }
  if (typeof secret !== 'object' || secret === null) return connection
  const names = Object.keys(secret).map((name) => [name, null] as const)
  return { ...connection, raw: { ...connection.raw, secret: Object.fromEntries(names) } }
}

/** `jira_field` is the field's id in Jira. */
export type JiraField = Pick<
  Read<JiraTemplateAnswer['prompt_types']['items'][number]>,
  'jira_field' | 'label' | 'description' | 'required'
>

/** Returns the Jira fields that an execution on this connection needs. @throws ApiError */
export async function fetchJiraFields(account: Account, name: string): Promise<readonly JiraField[]> {
  try {
    const { jira_issue_template_id: id } = await call(account, connectionContract.show, { name })
    if (id === '') return []
    const { prompt_types: prompts, cmdb_types: objects } = await call(account, jiraContract.template, { id })
    return [...(prompts?.items ?? []), ...(objects?.items ?? [])]
  } catch (error) {
    // No error is needed here: if fields are missing, the execution's own error names them.
    if (error instanceof ApiError && (error.kind === 'not-found' || error.kind === 'no-gateway')) return []
    throw error
  }
}
