import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { ApiError } from './http/api-error.ts'
import { askJson } from './http/json.ts'

const Named = v.looseObject({ name: v.string() })
const Connections = v.nullable(v.array(Named))

/** The names of the connections that the user may see. @throws ApiError */
export async function fetchConnectionNames(
  account: Account,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  return (await rawConnections(account, signal)).map(({ name }) => name)
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

/** A connection as the gateway shows it. Make its texts printable before you show them. */
export interface ListedConnection {
  readonly name: string
  readonly type: string
  readonly subtype: string
  /** online or offline. */
  readonly status: string
  /** On the embedded gateway the agent's name, on hoop's its id. */
  readonly agentId: string
  /** Empty where the gateway knows none. */
  readonly tags: ReadonlyMap<string, string>
  /** What it is open for: `runbooks`, `exec`, `connect`. */
  readonly modes: readonly string[]
  /** Why the connection has no terminal although its settings allow one; else empty. */
  readonly noTerminal: string
  readonly command: readonly string[]
  /** Groups that have to approve. */
  readonly reviewers: readonly string[]
  readonly jiraTemplate: string
  /** As the gateway has sent it, without the values of secrets, which hoop's sends to admins. */
  readonly raw: object
}

const Text = v.fallback(v.string(), '')
const Texts = v.fallback(v.array(v.string()), [])
const Tags = v.fallback(v.record(v.string(), v.string()), {})
const Facts = v.object({
  connection_tags: Tags,
  ...{ type: Text, subtype: Text, status: Text, agent_id: Text, jira_issue_template_id: Text },
  ...{ command: Texts, reviewers: Texts },
  ...{ access_mode_runbooks: Text, access_mode_exec: Text, access_mode_connect: Text },
  access_mode_connect_reason: Text,
})

/** @throws ApiError */
export async function listConnections(account: Account): Promise<readonly ListedConnection[]> {
  return (await rawConnections(account)).map(listed)
}

/** @throws ApiError `not-found` */
export async function fetchConnection(account: Account, name: string): Promise<ListedConnection> {
  const path = `/api/connections/${encodeURIComponent(name)}`
  const { value } = await askJson(account, { method: 'GET', path }, Named)
  return listed(value)
}

type Raw = v.InferOutput<typeof Named>

async function rawConnections(account: Account, signal?: AbortSignal): Promise<readonly Raw[]> {
  const { value } = await askJson(account, { method: 'GET', path: '/api/connections', signal }, Connections)
  return value ?? []
}

function listed(raw: Raw): ListedConnection {
  const facts = v.parse(Facts, raw)
  const modes = {
    runbooks: facts.access_mode_runbooks,
    exec: facts.access_mode_exec,
    connect: facts.access_mode_connect,
  }
  const { type, subtype, status, command, reviewers } = facts
  return {
    ...{ name: raw.name, type, subtype, status, command, reviewers },
    agentId: facts.agent_id,
    tags: new Map(Object.entries(facts.connection_tags)),
    modes: Object.entries(modes).flatMap(([mode, state]) => (state === 'enabled' ? [mode] : [])),
    noTerminal: facts.access_mode_connect_reason,
    jiraTemplate: facts.jira_issue_template_id,
    raw: withoutSecrets(raw),
  }
}

/** hoop's field for variables and files: an object of names and values in base64. */
const SECRETS = 'secret'

function withoutSecrets(raw: Raw): object {
  const secrets = raw[SECRETS]
  if (typeof secrets !== 'object' || secrets === null) return raw
  const names = Object.keys(secrets).map((name) => [name, null] as const)
  return { ...raw, [SECRETS]: Object.fromEntries(names) }
}
