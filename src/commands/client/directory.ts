import { didYouMean } from '../../basics/text/nearest.ts'
import { oneLine, printableText } from '../../basics/text/printable.ts'
import type { ItemColumn } from '../../basics/text/table.ts'
import type { Account } from '../../client/account/account.ts'
import { ApiError } from '../../client/rest/api-error.ts'
import { call, type Read } from '../../client/rest/call.ts'
import {
  fetchConnection,
  listConnections,
  modesOf,
  type ListedConnection,
} from '../../client/rest/connections.ts'
import {
  fetchCatalog,
  type RunbookCatalog,
  type CatalogEntry,
  type Parameter,
} from '../../client/rest/runbooks.ts'
import { agentContract, type AgentAnswer } from '../../contract/agents.ts'
import { webhookContract, type WebhookAnswer } from '../../contract/webhooks.ts'
import { exitCodes, Failure } from '../exit-codes.ts'
import {
  asking,
  factLines,
  printAnswer,
  unlessLacking,
  type AskingFlags,
  listingCommand,
  type ListingFlags,
  isJson,
  printList,
} from './asking/asking.ts'
import { readPairs } from './input.ts'
import { meantConnection } from './report/failures.ts'
import { describeParameter, moment } from './report/words.ts'

/** `agent` is the agent's name, or its id if the name is unknown. */
type ShownConnection = ListedConnection & { readonly agent: string }

export const CONNECTION_COLUMNS: readonly ItemColumn<ShownConnection>[] = [
  { heading: 'NAME', shrinks: 'last', of: ({ name }) => name },
  { heading: 'TYPE', shrinks: true, leftOut: 2, of: typeOf },
  { heading: 'STATUS', of: ({ status }) => status },
  { heading: 'AGENT', shrinks: true, leftOut: 1, of: ({ agent }) => agent },
  { heading: 'OPEN FOR', leftOut: 3, of: (one) => modesOf(one).join(', ') },
  { heading: 'TAGS', shrinks: true, leftOut: 4, of: tagsText },
]

const CONNECTION_LIST = { things: 'connections', endpoint: 'GET /api/connections' }

type AgentNames = ReadonlyMap<string, string>

export interface ConnectionsFlags extends ListingFlags {
  readonly tag?: readonly string[]
}

export async function connectionsCommand(flags: ConnectionsFlags): Promise<number> {
  const tags = readPairs(flags.tag ?? [], '--tag')
  const fetch = async (account: Account, isTable: boolean) => {
    const all = await listConnections(account)
    const found = all.filter((one) => [...tags].every(([key, value]) => one.connection_tags[key] === value))
    const names = isTable ? await agentNames(account) : new Map<string, string>()
    return found.map((one) => ({ ...one, agent: names.get(one.agent_id) ?? one.agent_id }))
  }
  return listingCommand(flags, { ...CONNECTION_LIST, fetch, columns: CONNECTION_COLUMNS })
}

export async function connectionCommand(name: string, flags: AskingFlags): Promise<number> {
  return asking(flags.profile, `cannot show connection ${name}`, async (account, stdout) => {
    const connection = await connectionNamed(account, name)
    const names = isJson(flags) ? new Map<string, string>() : await agentNames(account)
    await printAnswer(flags, connection.raw, () => connectionDetails(connection, names), stdout)
  })
}

export function connectionDetails(connection: ListedConnection, agents: AgentNames): string {
  const { name, status, agent_id: agentId, command, reviewers } = connection
  const modes = modesOf(connection)
  return factLines([
    ['connection', name],
    ['type', typeOf(connection)],
    ['status', status],
    ['agent', agents.get(agentId) ?? agentId],
    ['tags', tagsText(connection)],
    ['open for', modes.join(', ') || 'nothing'],
    ['no terminal', connection.access_mode_connect_reason],
    [
      'port',
      connection.native_port ? `for ${connection.native_port}: runbook-agent connect ${name} --port` : '',
    ],
    ['command', command.join(' ')],
    ['approved by', reviewers.join(', ')],
    ['jira template', connection.jira_issue_template_id],
    ['its runbooks', modes.includes('runbooks') ? `runbook-agent runbooks list --connection ${name}` : ''],
  ])
}

function tagsText({ connection_tags: tags }: ListedConnection): string {
  return Object.entries(tags)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')
}

function typeOf({ type, subtype }: ListedConnection): string {
  return subtype === '' || subtype === type ? type : `${type}/${subtype}`
}

async function connectionNamed(account: Account, name: string): Promise<ListedConnection> {
  try {
    return await fetchConnection(account, name)
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error
    throw await unknownConnection(account, name, error)
  }
}

/**
 * Returns a failure that suggests a similar name. @param error returned unchanged if the list has the
 * connection
 */
async function unknownConnection(account: Account, name: string, error: ApiError): Promise<Error> {
  const names = (await unlessLacking(account, CONNECTION_LIST, listConnections(account))).map(
    (one) => one.name,
  )
  if (names.includes(name)) return error
  return new Failure(
    `the gateway has no connection ${oneLine(name)}: ${oneLine(didYouMean(name, names) ?? 'or you have no access to it')}`,
    exitCodes.usage,
  )
}

/**
 * Returns the names of agents by id. hoop's connections have only their agent's id. If the gateway lists no
 * agents, the id is shown.
 */
async function agentNames(account: Account): Promise<AgentNames> {
  try {
    return new Map((await call(account, agentContract.list, {})).map(({ id, name }) => [id, name]))
  } catch (error) {
    if (error instanceof ApiError) return new Map()
    throw error
  }
}

export const AGENT_COLUMNS: readonly ItemColumn<Read<AgentAnswer>>[] = [
  { heading: 'NAME', shrinks: 'last', of: ({ name }) => name },
  { heading: 'STATUS', of: ({ state, status }) => state || status.toLowerCase() },
  { heading: 'SINCE', leftOut: 4, of: sinceText },
  { heading: 'SESSIONS', leftOut: 5, of: loadText },
  { heading: 'VERSION', shrinks: true, leftOut: 6, of: factOf('version') },
  { heading: 'HOSTNAME', shrinks: true, leftOut: 7, of: factOf('hostname') },
  { heading: 'ADDRESS', shrinks: true, leftOut: 2, of: ({ address }) => address },
  { heading: 'PLATFORM', shrinks: true, leftOut: 1, of: factOf('platform') },
  { heading: 'REASON', shrinks: true, leftOut: 3, of: reasonText },
]

/** An agent cannot prove its name with a wrong key, so the text says "claims". */
function reasonText({ last_words: words, refused_at: at, refused_from: from }: Read<AgentAnswer>): string {
  if (at === '') return words
  const whence = from === '' ? '' : ` from ${from}`
  const refused = `a caller${whence} that claims to be this agent was refused: wrong key, ${moment(at)}`
  return [words, refused].filter(Boolean).join('; ')
}

/** Returns an empty text for agents of hoop's gateway. */
function sinceText({ state, connected_at: connected, left_at: left }: Read<AgentAnswer>): string {
  return moment(state === 'connected' ? connected : left)
}

function loadText({ state, sessions, session_limit: limit }: Read<AgentAnswer>): string {
  if (state !== 'connected' && state !== 'draining') return ''
  return limit === undefined || limit === 0 ? String(sessions) : `${sessions} of ${limit}`
}

/** Reads the fact from the metadata first, because hoop's gateway has it only there. */
function factOf(fact: 'version' | 'hostname' | 'platform'): (agent: Read<AgentAnswer>) => string {
  return (agent) => (agent.metadata[fact] ?? '') || agent[fact]
}

const AGENT_LIST = {
  things: 'agents',
  endpoint: 'GET /api/agents',
  fetch: (account: Account) => call(account, agentContract.list, {}),
  columns: AGENT_COLUMNS,
}

export function agentsCommand(flags: ListingFlags): Promise<number> {
  return listingCommand(flags, AGENT_LIST)
}

export const RUNBOOK_COLUMNS: readonly ItemColumn<CatalogEntry>[] = [
  { heading: 'NAME', shrinks: 'last', of: ({ runbook }) => runbook.name },
  { heading: 'TITLE', shrinks: true, leftOut: 2, of: ({ runbook }) => runbook.title ?? '' },
  { heading: 'PARAMETERS', shrinks: true, leftOut: 3, of: parametersText },
  { heading: 'CONNECTIONS', shrinks: true, leftOut: 4, of: ({ connections }) => connections.join(', ') },
  { heading: 'REPOSITORY', shrinks: true, leftOut: 1, of: ({ runbook }) => runbook.repository ?? '' },
]

export interface RunbookFlags extends ListingFlags {
  readonly connection?: string
  readonly repository?: string
}

export async function runbooksCommand(flags: RunbookFlags): Promise<number> {
  return asking(flags.profile, 'cannot list runbooks', async (account, stdout) => {
    const { entries } = await readCatalog(account, flags)
    await printList(flags, RUNBOOK_COLUMNS, entries, stdout)
  })
}

function parametersText({ runbook }: CatalogEntry): string {
  return runbook.error === undefined ? runbook.parameters.map(short).join(' ') : 'cannot be run'
}

/** Puts the name in brackets if the parameter is optional. */
function short({ name, default: proposed }: Parameter): string {
  return proposed === undefined ? name : `[${name}]`
}

export async function runbookCommand(file: string, flags: RunbookFlags): Promise<number> {
  return asking(flags.profile, `cannot show runbook ${file}`, async (account, stdout) => {
    const entry = entryNamed(file, flags, await readCatalog(account, flags))
    await printAnswer(flags, entry.raw, () => runbookDetails(entry), stdout)
  })
}

/** @throws Failure, exit code 64, unless exactly one runbook has the name */
function entryNamed(file: string, { repository }: RunbookFlags, { entries }: RunbookCatalog): CatalogEntry {
  const named = entries.filter(({ runbook }) => runbook.name === file)
  const found = named.filter(({ runbook }) => repository === undefined || runbook.repository === repository)
  const [entry, ...others] = found
  if (entry !== undefined && others.length === 0) return entry
  const repositories = named.map(({ runbook }) => runbook.repository ?? '')
  throw new Failure(oneLine(entry === undefined ? missing() : severalHave()), exitCodes.usage)

  function missing(): string {
    if (named.length > 0)
      return `no repository ${repository ?? ''} has ${file}: it is in ${repositories.join(', ')}`
    const names = entries.map(({ runbook }) => runbook.name)
    return `the gateway has no runbook ${file}: ${didYouMean(file, names) ?? 'to see your runbooks, run: runbook-agent runbooks list'}`
  }
  function severalHave(): string {
    return `${file} is in more than one repository: choose with --repository (${repositories.join(', ')})`
  }
}

export function runbookDetails({ runbook, connections, commit }: CatalogEntry): string {
  const { name, title = '', description, repository = '', error = '', parameters, first = '' } = runbook
  const facts = factLines([
    ['runbook', name],
    ['title', title],
    ['runs after', first],
    ['repository', repository],
    ['commit', commit],
    ['connections', connections.join(', ')],
    ['cannot be run', error],
  ])
  if (error !== '') return facts
  const more = description === undefined ? '' : `\n${indented(description)}`
  const described = factLines(
    parameters.map((parameter) => [parameter.name, describeParameter(parameter) || '-']),
    '  ',
  )
  const given = parameters.filter((one) => one.default === undefined).map((one) => ` -p ${one.name}=...`)
  const run = `runbook-agent run ${connections[0] ?? 'CONNECTION'} ${name}${given.join('')}`
  return `${facts}${more}${described === '' ? '' : `\nparameters\n${described}`}\nrun it with\n  ${oneLine(run)}\n`
}

function indented(text: string): string {
  return printableText(text)
    .split('\n')
    .map((line) => `${`  ${line}`.trimEnd()}\n`)
    .join('')
}

/** Reports the files that the gateway cannot read. @throws Failure if no runbook is readable */
async function readCatalog(account: Account, { connection }: RunbookFlags): Promise<RunbookCatalog> {
  const catalog = await fetchCatalogFor(account, connection)
  if (catalog === undefined)
    throw new Failure(
      `the gateway ${account.rest.url} has no runbooks: it has no repository, or does not have the endpoint GET /api/runbooks`,
      exitCodes.unreachable,
    )
  if (catalog.entries.length === 0 && catalog.errors.length > 0)
    throw new Failure(
      `no runbook can be read: ${catalog.errors.map(oneLine).join('; ')}`,
      exitCodes.unreachable,
    )
  for (const error of catalog.errors) process.stderr.write(`runbook-agent: ${oneLine(error)}\n`)
  if (catalog.entries.length === 0 && connection !== undefined) await checkConnection(account, connection)
  return catalog
}

async function fetchCatalogFor(
  account: Account,
  connection: string | undefined,
): Promise<RunbookCatalog | undefined> {
  try {
    return await fetchCatalog(account, connection)
  } catch (error) {
    if (connection === undefined || !(error instanceof ApiError) || error.kind !== 'not-found') throw error
    throw unknown(connection, await meantConnection(account, connection))
  }
}

/**
 * Checks whether the connection exists, because hoop answers with an empty list for an unknown connection.
 * @throws Failure with a similar name
 */
async function checkConnection(account: Account, connection: string): Promise<void> {
  const meant = await meantConnection(account, connection)
  if (meant !== '') throw unknown(connection, meant)
}

function unknown(connection: string, meant: string): Failure {
  return new Failure(`the gateway has no connection ${oneLine(connection)}${meant}`, exitCodes.usage)
}

const WEBHOOK_COLUMNS: readonly ItemColumn<Read<WebhookAnswer>>[] = [
  { heading: 'NAME', shrinks: 'last', of: ({ name }) => name },
  { heading: 'STATUS', of: ({ status }) => status },
  { heading: 'WAITING', of: ({ waiting }) => String(waiting) },
  { heading: 'DELIVERED', leftOut: 2, of: ({ delivered }) => String(delivered) },
  { heading: 'DROPPED', leftOut: 3, of: ({ dropped }) => String(dropped) },
  { heading: 'URL', shrinks: true, leftOut: 4, of: ({ url }) => url },
  { heading: 'LAST ERROR', shrinks: true, leftOut: 1, of: ({ last_error: lastError }) => lastError },
]

const WEBHOOK_LIST = {
  things: 'webhooks',
  endpoint: 'GET /api/webhooks',
  fetch: (account: Account) => call(account, webhookContract.list, {}),
  columns: WEBHOOK_COLUMNS,
}

export function webhooksCommand(flags: ListingFlags): Promise<number> {
  return listingCommand(flags, WEBHOOK_LIST)
}

export async function testWebhookCommand(name: string, flags: AskingFlags): Promise<number> {
  return asking(flags.profile, `cannot test webhook ${name}`, async (account, stdout) => {
    const { delivered, error, raw } = await call(account, webhookContract.test, { name })
    if (!delivered)
      throw new Failure(oneLine(`webhook ${name} refused the test message: ${error}`), exitCodes.unreachable)
    await printAnswer(flags, raw, () => 'delivered\n', stdout)
  })
}
