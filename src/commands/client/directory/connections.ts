import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine } from '../../../basics/text/one-line.ts'
import type { ItemColumn } from '../../../basics/text/table.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { call } from '../../../client/rest/call.ts'
import { agentContract } from '../../../contract/agents.ts'
import {
  fetchConnection,
  listConnections,
  modesOf,
  type ListedConnection,
} from '../../../client/rest/connections.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { readPairs } from '../input/pairs.ts'
import {
  asking,
  factLines,
  printAnswer,
  unlessLacking,
  type AskingFlags,
  listingCommand,
  isJson,
} from '../asking/asking.ts'

/** A connection with the name of its agent, where that is known. */
type ShownConnection = ListedConnection & { readonly agent: string }

export const CONNECTION_COLUMNS: readonly ItemColumn<ShownConnection>[] = [
  { heading: 'NAME', shrinks: true, of: ({ name }) => name },
  { heading: 'TYPE', shrinks: true, leftOut: 2, of: typeOf },
  { heading: 'STATUS', of: ({ status }) => status },
  { heading: 'AGENT', shrinks: true, leftOut: 1, of: ({ agent }) => agent },
  { heading: 'OPEN FOR', leftOut: 3, of: (one) => modesOf(one).join(', ') },
  { heading: 'TAGS', shrinks: true, leftOut: 4, of: tagsText },
]

const LIST = { things: 'connections', endpoint: 'GET /api/connections' }

/** The names of agents by their ids. */
type AgentNames = ReadonlyMap<string, string>

export interface ConnectionsFlags extends AskingFlags {
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
  return listingCommand(flags, { ...LIST, fetch, columns: CONNECTION_COLUMNS })
}

export async function connectionCommand(name: string, flags: AskingFlags): Promise<number> {
  return asking(flags.profile, `cannot show connection ${name}`, async (account, stdout) => {
    const connection = await connectionNamed(account, name)
    const names = isJson(flags) ? new Map<string, string>() : await agentNames(account)
    await printAnswer(flags, connection.raw, () => connectionDetails(connection, names), stdout)
  })
}

/** A connection for people: one fact a line. */
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
 * The failure for a connection that the gateway does not know, with the name that was probably meant.
 * @param error the answer of the gateway, returned where its list has the connection
 */
async function unknownConnection(account: Account, name: string, error: ApiError): Promise<Error> {
  const names = (await unlessLacking(account, LIST, listConnections(account))).map((one) => one.name)
  if (names.includes(name)) return error
  return new Failure(
    `the gateway has no connection ${oneLine(name)}: ${oneLine(didYouMean(name, names) ?? 'or you have no access to it')}`,
    exitCodes.usage,
  )
}

/** hoop's connections name their agent by an id, which is shown where the gateway does not list its agents. */
async function agentNames(account: Account): Promise<AgentNames> {
  try {
    return new Map((await call(account, agentContract.list, {})).map(({ id, name }) => [id, name]))
  } catch (error) {
    if (error instanceof ApiError) return new Map()
    throw error
  }
}
