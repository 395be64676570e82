import { oneLine } from '../../../basics/text/one-line.ts'
import { textTable, type TableColumn } from '../../../basics/text/table.ts'
import type { Account } from '../../../client/account/account.ts'
import { call, type Read } from '../../../client/rest/http/call.ts'
import { agentContract, type AgentAnswer } from '../../../contract/agents.ts'
import type { AskingFlags } from '../account/asking.ts'
import { listingCommand } from '../account/listing.ts'

const COLUMNS: readonly TableColumn[] = [
  { heading: 'NAME', shrinks: true },
  { heading: 'STATUS' },
  { heading: 'VERSION', shrinks: true, leftOut: 2 },
  { heading: 'HOSTNAME', shrinks: true, leftOut: 3 },
  { heading: 'PLATFORM', shrinks: true, leftOut: 1 },
]

const LIST = {
  things: 'agents',
  endpoint: 'GET /api/agents',
  fetch: (account: Account) => call(account, agentContract.list, {}),
  table: agentTable,
}

/** `runbook-agent agents list` */
export function agentsCommand(flags: AskingFlags): Promise<number> {
  return listingCommand(flags, LIST)
}

/** One line for each agent, below a heading. */
export function agentTable(agents: readonly Read<AgentAnswer>[], width: number): string {
  const rows = agents.map((agent) => {
    const facts = (['version', 'hostname', 'platform'] as const).map(
      (fact) => (agent.metadata[fact] ?? '') || agent[fact],
    )
    return [agent.name, agent.status.toLowerCase(), ...facts].map(oneLine)
  })
  return textTable(COLUMNS, rows, width)
}
