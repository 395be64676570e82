import type { FastifyInstance } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { GatewayUser } from '../../identity.ts'
import { HttpError } from '../http/http-error.ts'
import type { RestServices } from '../services.ts'

interface AgentQuery {
  readonly status?: unknown
}

/** The agents of the connections that a user may see; an admin sees those without a connection, too. */
export function agentRoutes(app: FastifyInstance, services: RestServices): void {
  app.get<{ Querystring: AgentQuery }>('/api/agents', ({ user, query }) => {
    const agents = visibleAgents(services, user).map((name) => describeAgent(services, name))
    return agents.filter(({ status }) => !isText(query.status) || status === query.status)
  })

  app.get<{ Params: { name: string } }>('/api/agents/:name', ({ user, params }) => {
    if (visibleAgents(services, user).includes(params.name)) return describeAgent(services, params.name)
    throw new HttpError('agent-not-found', hoopWords.agentNotFound)
  })
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function visibleAgents({ users, agents }: RestServices, user: GatewayUser): readonly string[] {
  const names = users.isAdmin(user) ? agents.names : users.connections(user).map(({ agent }) => agent)
  return [...new Set(names)].sort()
}

/** hoop's object, with what the agent said when it connected last, hoop's older copies of it, and when it was last here. */
function describeAgent({ agents }: RestServices, name: string) {
  const status = agents.isOnline(name) ? 'CONNECTED' : 'DISCONNECTED'
  const metadata = agents.facts(name)
  const { hostname = '', version = '', compiler = '', platform = '' } = metadata
  return {
    ...{ id: name, name, token: '', mode: 'standard', status, metadata },
    ...{ hostname, machine_id: metadata['machine-id'] ?? '', version, compiler, platform },
    kernel_version: metadata['kernel-version'] ?? '',
    goversion: metadata['go-version'] ?? '',
    last_contact: agents.lastContact(name)?.toISOString() ?? null,
  }
}
