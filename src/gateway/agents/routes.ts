import { agentContract, type AgentAnswer } from '../../contract/agents.ts'
import type { Handlers } from '../handlers.ts'
import type { GatewayUser } from '../identity.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import type { Agents } from './agents.ts'
import { DEPARTURE_WORDS, STOPPED_WORDS, type Departure } from './presence.ts'

interface AgentRouting {
  readonly agents: Agents
  readonly users: Users
}

export function agentRoutes(services: AgentRouting): Handlers<typeof agentContract> {
  return {
    list: ({ user, query }) =>
      visibleAgents(services, user)
        .map((name) => agentAnswer(services, user, name))
        .filter(({ status }) => query.status === undefined || status === query.status),
    show: ({ user, params }) => {
      if (visibleAgents(services, user).includes(params.name)) return agentAnswer(services, user, params.name)
      throw refused('agent-not-found')
    },
  }
}

/** Admins and auditors see all agents. Other users see the agents of their connections. */
function visibleAgents({ users, agents }: AgentRouting, user: GatewayUser): readonly string[] {
  const names = users.seesAll(user) ? agents.names : users.connections(user).map(({ agent }) => agent)
  return [...new Set(names)].sort()
}

function agentAnswer(services: AgentRouting, user: GatewayUser, name: string): AgentAnswer {
  const { agents } = services
  const metadata = agents.presence(name)?.arrival.facts ?? {}
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
    ...standing(services, user, name),
  }
}

function wordsOf(why: Departure, state: string): string {
  return why === 'drained' && state === 'left' ? STOPPED_WORDS : DEPARTURE_WORDS[why]
}

function standing({ agents, users }: AgentRouting, user: GatewayUser, name: string) {
  const { arrival, since, left } = agents.presence(name) ?? {}
  const state = agents.state(name)
  const seesAll = users.seesAll(user)
  const connections = seesAll ? users.allConnections : users.connections(user)
  const refusal = agents.refusal(name)
  const contact = state === 'connected' ? new Date() : left?.at
  return {
    last_contact: contact?.toISOString() ?? null,
    state,
    connected_at: since?.toISOString() ?? null,
    left_at: left?.at.toISOString() ?? null,
    last_words: left === undefined ? null : wordsOf(left.why, state),
    refused_at: refusal?.at.toISOString() ?? null,
    refused_from: seesAll ? (refusal?.from ?? null) : null,
    address: seesAll ? (arrival?.address ?? null) : null,
    sessions: agents.sessionCount(name),
    session_limit: arrival?.sessionLimit ?? null,
    connections: connections.filter(({ agent }) => agent === name).map((connection) => connection.name),
  }
}
