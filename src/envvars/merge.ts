import { decodeBase64 } from '../golang/text/base64.ts'
import { goQuote } from '../golang/text/quote.ts'
import type { AgentEnvironment, AgentValue } from './agent-environment.ts'
import { createEntry, createVariable, Entry, MAX_ENTRIES, parseEntry } from './entry.ts'
import { EnvvarError } from './errors.ts'
import type { RdsServer } from './secrets/aws/tokens.ts'
import type { SessionSecrets } from './secrets/stores.ts'

const RDS_IAM_USER = '_aws_iam_rds:'
const RDS_FAILED = 'failed generating aws rds auth token, err='

/** A connection's entries. Requests for cloud tokens are replaced by the tokens. */
interface SignedEntries {
  readonly entries: readonly Entry[]
  /** Whether the password is a token of Amazon RDS. MySQL's client sends such a token only in clear text. */
  readonly usesRdsToken: boolean
  /**
   * Makes a new token, because the token in the entries is valid for only 15 minutes. Set if the password is
   * a token.
   * @throws EnvvarError
   */
  readonly newRdsToken?: (ended: AbortSignal) => Promise<string>
}

/**
 * Adds cloud tokens. A connection asks for a token by the variable `envvar:EKS_CLUSTER`, or by a database
 * user `_aws_iam_rds:NAME` (protocol.md 5.3, 6). As in hoop, this happens after references are resolved,
 * because a resolved user may have this form.
 * @throws EnvvarError, or the signal's reason
 */
async function withCloudTokens(entries: readonly Entry[], secrets: SessionSecrets): Promise<SignedEntries> {
  if (!entries.some(asksForToken)) return { entries, usesRdsToken: false }
  const variables = new Map(
    entries.filter(({ kind }) => kind === 'envvar').map(({ name, value }) => [name, value]),
  )
  const user = variables.get('USER')?.toString() ?? ''
  const text: Lookup = (name) => variables.get(name)?.toString() ?? ''
  const eks = variables.has('EKS_CLUSTER') ? await eksEntries(text, secrets) : []
  const rds = user.startsWith(RDS_IAM_USER) ? rdsServer(user, text) : undefined
  const made = rds === undefined ? eks : [...eks, ...(await rdsEntries(rds, secrets.ended))]
  const replaced = new Set(made.map(({ key }) => key))
  return {
    entries: [...entries.filter(({ key }) => !replaced.has(key)), ...made],
    usesRdsToken: rds !== undefined,
    ...(rds !== undefined && { newRdsToken: (ended) => tokenFor(rds, ended) }),
  }
}

function asksForToken({ kind, name, value }: Entry): boolean {
  if (kind !== 'envvar') return false
  const start = RDS_IAM_USER.length
  return name === 'EKS_CLUSTER' || (name === 'USER' && value.toString('latin1', 0, start) === RDS_IAM_USER)
}

type Lookup = (name: string) => string

async function eksEntries(text: Lookup, secrets: SessionSecrets): Promise<Entry[]> {
  const cluster = text('EKS_CLUSTER')
  const region = text('EKS_AWS_REGION') || (secrets.agent.variable('AWS_REGION').value ?? '')
  if (cluster === '' || region === '')
    throw new EnvvarError('missing required envs [EKS_CLUSTER EKS_AWS_REGION]')
  const { eksToken } = await import('./secrets/aws/tokens.ts')
  const roleSession = text('EKS_ROLE_SESSION') || text('EKS_BINDING_USER_ROLE')
  const token = await eksToken({ cluster, region, roleArn: text('EKS_ROLE_ARN'), roleSession }, secrets.ended)
  return [createEntry('envvar:KUBERNETES_BEARER_TOKEN', Buffer.from(`Bearer ${token}`), 'connection')]
}

/** @throws EnvvarError */
function rdsServer(given: string, text: Lookup): RdsServer {
  const [, user, ...rest] = given.split(':')
  if (user === undefined || rest.length > 0)
    throw new EnvvarError(`${RDS_FAILED}invalid rds iam user format env format`)
  const [hostname, port] = [text('HOST'), text('PORT')]
  if (hostname === '') throw new EnvvarError(`${RDS_FAILED}rds_iam_auth: missing HOST value in env`)
  if (port === '') throw new EnvvarError(`${RDS_FAILED}rds_iam_auth: missing PORT value in env`)
  if (!/^\d{1,5}$/.test(port)) throw new EnvvarError(`${RDS_FAILED}rds_iam_auth: PORT is not a port number`)
  // The host has the form pg.cqvjxizuxvwe.us-west-2.rds.amazonaws.com.
  const region = hostname.split('.')[2]
  if (region === undefined)
    throw new EnvvarError(`${RDS_FAILED}aws region not found in the host: ${hostname}`)
  return { hostname, port: Number(port), region, user }
}

async function rdsEntries(server: RdsServer, ended: AbortSignal): Promise<Entry[]> {
  const token = await tokenFor(server, ended)
  return [
    createEntry('envvar:PASS', Buffer.from(token), 'connection'),
    createEntry('envvar:USER', Buffer.from(server.user), 'connection'),
  ]
}

async function tokenFor(server: RdsServer, ended: AbortSignal): Promise<string> {
  const { rdsToken } = await import('./secrets/aws/tokens.ts')
  return rdsToken(server, ended)
}

const AGENT_VARIABLE = 'system.agent.envs'
const AGENT_VARIABLE_BYTES = Buffer.from(AGENT_VARIABLE)
const VARIABLE_PREFIX = 'envvar:'
const UNDERSCORE = 0x5f

/** The value for a program, or the reason why the program gets no value. */
type Resolution =
  { readonly value: Buffer; readonly problem?: never } | { readonly problem: string; readonly value?: never }

/**
 * Resolves a reference of a connection. A fetched value is never resolved again, even if it looks like a
 * reference. A reference that cannot be resolved is refused, because a program must never receive the
 * reference instead of the secret. Only connections have references. A client's text of this form is a
 * literal: otherwise clients could read the agent's environment (protocol.md 0.11).
 */
function resolveReference(
  key: string,
  value: Buffer,
  secrets: SessionSecrets,
): Resolution | Promise<Resolution> {
  const fetched = fetch(key, value, secrets)
  if (fetched === undefined) return { value }
  return fetched instanceof Promise ? fetched.then(resolution) : resolution(fetched)
}

function resolution(fetched: AgentValue): Resolution {
  return fetched.problem === undefined ? { value: Buffer.from(fetched.value) } : fetched
}

/** Returns undefined for a plain value. */
function fetch(
  key: string,
  value: Buffer,
  secrets: SessionSecrets,
): AgentValue | Promise<AgentValue> | undefined {
  if (value.equals(AGENT_VARIABLE_BYTES)) return agentVariable(key, secrets.agent)
  const [provider = '', id = '', member = ''] = threeParts(value)
  if (provider === '_envjson') return secrets.agent.member(id, member)
  return secrets.knows(provider) ? secrets.member(provider, id, member) : undefined
}

function agentVariable(key: string, agent: AgentEnvironment): AgentValue {
  if (key.startsWith(VARIABLE_PREFIX)) return agent.variable(key.slice(VARIABLE_PREFIX.length))
  const way = 'for a file use _envjson:VARIABLE:KEY'
  return { problem: `${AGENT_VARIABLE} works only for ${VARIABLE_PREFIX} keys; ${way}` }
}

/**
 * Splits `_provider:id:key`. Returns an empty list for any other text, also for an ARN, which has colons, too
 * (protocol.md 6).
 */
function threeParts(value: Buffer): readonly string[] {
  // Most values are no references, and a file can be large.
  if (value[0] !== UNDERSCORE) return []
  const parts = value.toString('utf8').split(':', 4)
  return parts.length === 3 ? parts : []
}

/** Maximum length of the list of faults in an error, in characters. Further faults are only counted. */
const MAX_LIST_CHARACTERS = 64 * 1024

/**
 * Fetches references one after the other. One error names all values that cannot be decoded or resolved
 * (protocol.md 6). Malformed keys are checked only afterwards. The result is sorted by key.
 */
async function parseConnectionEntries(
  source: ReadonlyMap<string, string>,
  secrets: SessionSecrets,
): Promise<Entry[]> {
  const values: [key: string, value: Buffer][] = []
  const faults = new Faults()
  for (const [key, encoded] of sortedByKey(source)) {
    const resolved = resolveValue(key, encoded, secrets)
    const { value, problem } = resolved instanceof Promise ? await resolved : resolved
    if (value !== undefined) values.push([key, value])
    else faults.add(`${key} ${problem}`)
  }
  faults.throwIfAny()
  return values.map(([key, value]) => createEntry(key, value, 'connection'))
}

/**
 * Sorts the entries, because they have a random order in a packet. The same input then has the same result
 * and the same error.
 */
function sortedByKey<Value>(source: ReadonlyMap<string, Value>): [string, Value][] {
  return [...source].sort(([left], [right]) => (left < right ? -1 : 1))
}

function resolveValue(
  key: string,
  encoded: string,
  secrets: SessionSecrets,
): Resolution | Promise<Resolution> {
  const { bytes, problem } = decodeBase64(encoded)
  if (bytes === undefined) return { problem: `failed decoding value, ${problem}` }
  return resolveReference(key, bytes, secrets)
}

/**
 * Collects faults and shows only the first ones, because ten thousand variables may each have a long fault.
 */
class Faults {
  readonly #told: string[] = []
  #length = 0
  #more = 0

  add(fault: string): void {
    if (this.#length >= MAX_LIST_CHARACTERS) {
      this.#more += 1
      return
    }
    const quoted = goQuote(fault)
    this.#told.push(quoted)
    this.#length += quoted.length
  }

  /** @throws EnvvarError */
  throwIfAny(): void {
    if (this.#told.length === 0) return
    const more = this.#more === 0 ? '' : ` and ${this.#more} more`
    throw new EnvvarError(`failed decoding environment variables [${this.#told.join(' ')}${more}]`)
  }
}

/**
 * Variables that only the agent sets (protocol.md 5.3 step 9). All these names are reserved, even if a
 * session lacks some of the variables.
 */
const RESERVED_VARIABLES = [
  'HOOP_CONNECTION_NAME',
  'HOOP_CONNECTION_TYPE',
  'HOOP_CLIENT_ORIGIN',
  'HOOP_CLIENT_VERB',
  'HOOP_USER_ID',
  'HOOP_USER_EMAIL',
  'HOOP_SESSION_ID',
  // This variable identifies the processes of a killed agent. No other source may set or remove it.
  'RUNBOOK_AGENT_INSTANCE',
] as const

/**
 * The variable in which a database client expects the password (protocol.md 5.3 step 8), by collapsed
 * connection type.
 */
const PASSWORD_VARIABLES: ReadonlyMap<string, string> = new Map([
  ['postgres', 'PGPASSWORD'],
  ['mysql', 'MYSQL_PWD'],
  ['mssql', 'SQLCMDPASSWORD'],
])

interface MergeRequest {
  /**
   * The connection's parameters. The keys are `envvar:NAME` or `filesystem:NAME`, and the values are in
   * base64.
   */
  readonly connection: ReadonlyMap<string, string>
  /** The client's variables (`terminal.envvars`), in the same form. */
  readonly client: ReadonlyMap<string, string>
  /** The value of the spec key `gateway.connection_type`. */
  readonly connectionType: string
  /**
   * The variables that the agent sets for this session: HOOP_* and RUNBOOK_AGENT_INSTANCE. A key is the name
   * without prefix. A value is plain text.
   */
  readonly own: ReadonlyMap<string, string>
  /**
   * With mode=embedded, the agent's environment, which overrides connection and client. Empty in other modes.
   */
  readonly embedded?: ReadonlyMap<string, string>
  readonly secrets: SessionSecrets
}

/**
 * Merges one session's variables. The result has one entry per name and is sorted by name. This precedence
 * holds for both prefixes: the agent's own variables; with mode=embedded the agent's environment; the
 * connection's PASS under the name that the database's client reads; the connection; the client.
 * - Within one source, `filesystem:` wins over `envvar:`, so that a secret meant for a file is not in the
 *   environment. In hoop, the winner is random.
 * - A client's PATH is dropped. As in hoop, no other variable of a client is filtered, not even LD_PRELOAD
 *   and BASH_ENV. With these variables a client can run any program. Only the gateway can refuse them: the
 *   embedded gateway by access.client-input, hoop's gateway not at all.
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
  return { ...signed, entries }
}

function refuseTooMany(count: number): void {
  if (count <= MAX_ENTRIES) return
  throw new EnvvarError(`too many environment variables: ${count}; at most ${MAX_ENTRIES} are accepted`)
}

/**
 * The agent's environment counts as a part of the connection, so that values with names of secrets are
 * replaced in the output.
 */
function embeddedEntries({ embedded = new Map<string, string>() }: MergeRequest): Entry[] {
  return Array.from(embedded, ([name, value]) => createVariable(name, value, 'connection'))
}

/**
 * Drops a client's entry if the connection has the same key. As in hoop, the dropped entry is not read, even
 * if its key is malformed.
 */
function parseClientEntries({ client, connection }: MergeRequest): Entry[] {
  return sortedByKey(client)
    .filter(([key]) => !connection.has(key))
    .map(([key, encoded]) => parseEntry(key, encoded, 'client'))
}

/**
 * Returns the value of `envvar:PASS` under the name that the database's client program reads. The
 * connection's PASS replaces even the connection's own variable of this name. A client's PASS replaces no
 * variable of the connection.
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

/** If several entries have the same name, the last one wins. */
function byName(entries: readonly Entry[]): Map<string, Entry> {
  const named = new Map<string, Entry>()
  for (const entry of entries) named.set(entry.name, entry)
  return named
}
