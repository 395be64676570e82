import { withCloudTokens, type SignedEntries } from './cloud-tokens.ts'
import { parseConnectionEntries, sortedByKey } from './connection-entries.ts'
import { createVariable, Entry, MAX_ENTRIES, parseEntry } from './entry.ts'
import { EnvvarError } from '../errors.ts'
import type { SessionSecrets } from '../secrets/session-secrets.ts'

/** Variables that only the agent sets (protocol.md 5.3 step 9). Reserved even when a session lacks one of them. */
const RESERVED_VARIABLES = [
  'HOOP_CONNECTION_NAME',
  'HOOP_CONNECTION_TYPE',
  'HOOP_CLIENT_ORIGIN',
  'HOOP_CLIENT_VERB',
  'HOOP_USER_ID',
  'HOOP_USER_EMAIL',
  'HOOP_SESSION_ID',
  // The mark by which the processes of a killed agent are found. Nobody else may set or remove it.
  'RUNBOOK_AGENT_INSTANCE',
] as const

/** Where the database clients look for the password (protocol.md 5.3 step 8), by collapsed connection type. */
const PASSWORD_VARIABLES: ReadonlyMap<string, string> = new Map([
  ['postgres', 'PGPASSWORD'],
  ['mysql', 'MYSQL_PWD'],
  ['mssql', 'SQLCMDPASSWORD'],
])

interface MergeRequest {
  /** Keys `envvar:NAME`/`filesystem:NAME`, base64 values, from the connection's parameters. */
  readonly connection: ReadonlyMap<string, string>
  /** The same form, from the client (`terminal.envvars`). */
  readonly client: ReadonlyMap<string, string>
  /** Spec key `gateway.connection_type`. */
  readonly connectionType: string
  /** The agent's own variables for this session (HOOP_* and its mark) by name, plain values. */
  readonly own: ReadonlyMap<string, string>
  /** With mode=embedded the agent's environment, which goes over connection and client; empty in other modes. */
  readonly embedded?: ReadonlyMap<string, string>
  /** What the connection's references are resolved from. */
  readonly secrets: SessionSecrets
}

/**
 * One session's variables, one entry per name, sorted by name. Who wins, whatever the prefix: first the agent's own,
 * then the connection's PASS under the database client's own name, then the connection, then the client. Within one
 * source `filesystem:` beats `envvar:` (hoop lets chance decide), so that a secret meant for a file is not in the
 * environment as well. A client's PATH is dropped. Nothing else of a client's is filtered, not even LD_PRELOAD and
 * BASH_ENV, as in hoop: with those a client can run what it likes. Where it may not, the gateway has to refuse its
 * variables. The embedded one does (access.client-input), hoop's does not.
 * @throws EnvvarError, or the reason of the signal of `secrets`
 */
export async function mergeEntries(request: MergeRequest): Promise<SignedEntries> {
  refuseTooMany(request.connection.size + request.client.size)
  const reserved = new Set<string>([...RESERVED_VARIABLES, ...request.own.keys()])
  const parsed = await parseConnectionEntries(request.connection, request.secrets)
  const signed = await withCloudTokens(parsed, request.secrets)
  const connection = signed.entries.filter(({ name }) => !reserved.has(name))
  const taken = new Set([...reserved, 'PATH', ...connection.map(({ name }) => name)])
  const client = parseClientEntries(request).filter(({ name }) => !taken.has(name))

  const password = passwordEntry(request.connectionType, connection, client)
  const embedded = embeddedEntries(request)
  const sources = [onePerName(client), onePerName(connection), password, embedded, ownEntries(request.own)]
  const entries = [...byName(sources.flat()).values()].sort((left, right) =>
    left.name < right.name ? -1 : 1,
  )
  return { entries, usesRdsToken: signed.usesRdsToken }
}

function refuseTooMany(count: number): void {
  if (count <= MAX_ENTRIES) return
  throw new EnvvarError(`too many environment variables: ${count}, accepted are at most ${MAX_ENTRIES}`)
}

/** The agent's environment, as if the connection's: values whose names sound secret are replaced in the output. */
function embeddedEntries({ embedded = new Map<string, string>() }: MergeRequest): Entry[] {
  return Array.from(embedded, ([name, value]) => createVariable(name, value, 'connection'))
}

/** A key that the connection has too is dropped unread, as in hoop, even a malformed one. */
function parseClientEntries({ client, connection }: MergeRequest): Entry[] {
  return sortedByKey(client)
    .filter(([key]) => !connection.has(key))
    .map(([key, encoded]) => parseEntry(key, encoded, 'client'))
}

/**
 * `envvar:PASS`, under the name that the database's client program reads. The connection's overrides every other
 * setting of that name. A client's must not replace one from the connection.
 */
function passwordEntry(type: string, connection: readonly Entry[], client: readonly Entry[]): Entry[] {
  const name = PASSWORD_VARIABLES.get(type)
  if (name === undefined) return []
  const own = connection.find(isPassword)
  const supplied = connection.some((entry) => entry.name === name) ? undefined : client.find(isPassword)
  const source = own ?? supplied
  return source === undefined ? [] : [new Entry('envvar', name, source.value, source.origin)]
}

function isPassword(entry: Entry): boolean {
  return entry.kind === 'envvar' && entry.name === 'PASS'
}

function ownEntries(own: ReadonlyMap<string, string>): Entry[] {
  return Array.from(own, ([name, value]) => createVariable(name, value, 'agent'))
}

function onePerName(source: readonly Entry[]): Entry[] {
  const variables = source.filter(({ kind }) => kind === 'envvar')
  const files = source.filter(({ kind }) => kind === 'filesystem')
  return [...byName([...variables, ...files]).values()]
}

/** When a name occurs twice, the later entry wins. */
function byName(entries: readonly Entry[]): Map<string, Entry> {
  const named = new Map<string, Entry>()
  for (const entry of entries) named.set(entry.name, entry)
  return named
}
