import { agentContract, type AgentAnswer } from '../../contract/agents.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { Handlers } from '../handlers.ts'
import type { GatewayUser } from '../identity.ts'
import type { Users } from '../people/identities/users.ts'
import { RequestRefused } from '../refusals/request-refused.ts'
import type { Agents } from './agents.ts'

interface AgentRouting {
  readonly agents: Agents
  readonly users: Users
}

export function agentRoutes(services: AgentRouting): Handlers<typeof agentContract> {
  return {
    list: ({ user, query }) =>
      visibleAgents(services, user)
        .map((name) => agentAnswer(services, name))
        .filter(({ status }) => query.status === undefined || status === query.status),
    show: ({ user, params }) => {
      if (visibleAgents(services, user).includes(params.name)) return agentAnswer(services, params.name)
      throw new RequestRefused('agent-not-found', hoopWords.agentNotFound)
    },
  }
}

/** The agents of the connections that a user may see; an admin sees those without a connection, too. */
function visibleAgents({ users, agents }: AgentRouting, user: GatewayUser): readonly string[] {
  const names = users.isAdmin(user) ? agents.names : users.connections(user).map(({ agent }) => agent)
  return [...new Set(names)].sort()
}

function agentAnswer({ agents }: AgentRouting, name: string): AgentAnswer {
  const metadata = agents.facts(name)
  const { hostname = '', version = '', compiler = '', platform = '' } = metadata
  return {
    id: name,
    name,
    token: '',
    mode: 'standard',
    status: agents.isOnline(name) ? 'CONNECTED' : 'DISCONNECTED',
    metadata,
    hostname,
    machine_id: metadata['machine-id'] ?? '',
    version,
    compiler,
    platform,
    kernel_version: metadata['kernel-version'] ?? '',
    goversion: metadata['go-version'] ?? '',
    last_contact: agents.lastContact(name)?.toISOString() ?? null,
  }
}
