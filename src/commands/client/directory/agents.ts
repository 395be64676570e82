import type { ItemColumn } from '../../../basics/text/table.ts'
import type { Account } from '../../../client/account/account.ts'
import { call, type Read } from '../../../client/rest/call.ts'
import { agentContract, type AgentAnswer } from '../../../contract/agents.ts'
import { listingCommand, type AskingFlags } from '../asking/asking.ts'

export const AGENT_COLUMNS: readonly ItemColumn<Read<AgentAnswer>>[] = [
  { heading: 'NAME', shrinks: true, of: ({ name }) => name },
  { heading: 'STATUS', of: ({ status }) => status.toLowerCase() },
  { heading: 'VERSION', shrinks: true, leftOut: 2, of: factOf('version') },
  { heading: 'HOSTNAME', shrinks: true, leftOut: 3, of: factOf('hostname') },
  { heading: 'PLATFORM', shrinks: true, leftOut: 1, of: factOf('platform') },
]

/** hoop's gateway has the facts of an agent in its metadata alone. */
function factOf(fact: 'version' | 'hostname' | 'platform'): (agent: Read<AgentAnswer>) => string {
  return (agent) => (agent.metadata[fact] ?? '') || agent[fact]
}

const LIST = {
  things: 'agents',
  endpoint: 'GET /api/agents',
  fetch: (account: Account) => call(account, agentContract.list, {}),
  columns: AGENT_COLUMNS,
}

export function agentsCommand(flags: AskingFlags): Promise<number> {
  return listingCommand(flags, LIST)
}
