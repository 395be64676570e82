import { oneLine } from '../../../basics/text/one-line.ts'
import { textTable, type TableColumn } from '../../../basics/text/table.ts'
import { listAgents, type ListedAgent } from '../../../client/rest/agents.ts'
import type { AskingFlags } from '../account/asking.ts'
import { listingCommand } from '../account/listing.ts'

const COLUMNS: readonly TableColumn[] = [
  { heading: 'NAME', shrinks: true },
  { heading: 'STATUS' },
  { heading: 'VERSION', shrinks: true, leftOut: 2 },
  { heading: 'HOSTNAME', shrinks: true, leftOut: 3 },
  { heading: 'PLATFORM', shrinks: true, leftOut: 1 },
]

const LIST = { things: 'agents', endpoint: 'GET /api/agents', fetch: listAgents, table: agentTable }

/** `runbook-agent agents list` */
export function agentsCommand(flags: AskingFlags): Promise<number> {
  return listingCommand(flags, LIST)
}

/** One line for each agent, below a heading. */
export function agentTable(agents: readonly ListedAgent[], width: number): string {
  const rows = agents.map(({ name, status, version, hostname, platform }) =>
    [name, status.toLowerCase(), version, hostname, platform].map(oneLine),
  )
  return textTable(COLUMNS, rows, width)
}
