import type { FastifyInstance } from 'fastify'
import type { ConnectionSettings } from '../../settings/settings.ts'
import { hasTags, parseTagSelector, type TagSelector } from '../../connections/tags.ts'
import { visibleConnection } from '../access.ts'
import { HttpError } from '../http/http-error.ts'
import { firstOption, type Query } from '../http/query.ts'
import type { RestServices } from '../services.ts'

/** The connections that a user may see, and where they run. Never their secrets, nor their commands. */
export function connectionRoutes(app: FastifyInstance, services: RestServices): void {
  app.get<{ Querystring: Query }>('/api/connections', ({ user, query }) => {
    const selector = askedTags(firstOption(query, 'tag_selector'))
    const seen = services.users.connections(user)
    return seen.filter(({ tags }) => hasTags(tags, selector)).map((one) => describe(services, one))
  })

  app.get<{ Params: { name: string } }>('/api/connections/:name', ({ user, params }) =>
    describe(services, visibleConnection(services.users, user, params.name)),
  )

  // hoop's command line asks which plugins a connection has: none.
  app.get('/api/plugins', () => [])
}

/** @throws HttpError 400 */
function askedTags(text = ''): TagSelector {
  const selector = text === '' ? [] : parseTagSelector(text)
  if (selector !== undefined) return selector
  throw new HttpError('invalid-request', 'tag_selector: must be like env=prod,region!=eu')
}

/** Those of hoop's fields that mean something here. Names serve as ids, since hoop accepts either in a path. */
function describe({ agents }: RestServices, connection: ConnectionSettings): object {
  const { name, type, subtype, tags, agent, access } = connection
  return {
    id: name,
    name,
    type,
    subtype: subtype ?? '',
    status: agents.isOnline(agent) ? 'online' : 'offline',
    agent_id: agent,
    connection_tags: tags,
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
