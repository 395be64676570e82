import type { FastifyInstance } from 'fastify'
import type { ConnectionSettings } from '../settings/settings.ts'
import { visibleConnection } from './access.ts'
import type { RestServices } from './services.ts'

/** The connections that a user may see, and where they run. Never their secrets, nor their commands. */
export function connectionRoutes(app: FastifyInstance, services: RestServices): void {
  app.get('/api/connections', ({ user }) =>
    services.users.connections(user).map((connection) => describe(services, connection)),
  )

  app.get<{ Params: { name: string } }>('/api/connections/:name', ({ user, params }) =>
    describe(services, visibleConnection(services.users, user, params.name)),
  )

  // hoop's command line asks which plugins a connection has: none.
  app.get('/api/plugins', () => [])
}

/** Those of hoop's fields that mean something here. Names serve as ids, since hoop accepts either in a path. */
function describe({ agents }: RestServices, connection: ConnectionSettings): object {
  const { name, type, subtype, agent, access } = connection
  return {
    id: name,
    name,
    type,
    subtype: subtype ?? '',
    status: agents.isOnline(agent) ? 'online' : 'offline',
    agent_id: agent,
    access_mode_runbooks: mode(access.runbooks && connection.runbooks !== undefined),
    access_mode_exec: mode(access.exec),
    access_mode_connect: mode(access.connect),
    access_schema: mode(false),
    jira_issue_template_id: connection.jira?.name ?? '',
  }
}

function mode(enabled: boolean): 'enabled' | 'disabled' {
  return enabled ? 'enabled' : 'disabled'
}
