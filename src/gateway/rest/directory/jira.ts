import type { FastifyInstance } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { JiraTemplate } from '../../settings/shapes/jira-shape.ts'
import type { GatewayUser } from '../../identity.ts'
import { HttpError } from '../http/http-error.ts'
import type { RestServices } from '../services.ts'

const PLACE = '/api/integrations/jira'

/** Which issues sessions get, and what callers have to say for them. To be read only: gateway.yaml sets it up. */
export function jiraRoutes(app: FastifyInstance, services: RestServices): void {
  app.get(PLACE, (_, reply) => {
    const { jira } = services.settings.value
    const shown = jira && { id: 'jira', url: jira.url, user: jira.user, api_token: '', status: 'enabled' }
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(shown ?? null))
  })

  app.get(`${PLACE}/issuetemplates`, ({ user }) =>
    visibleTemplates(services, user).map((template) => describe(services, user, template)),
  )

  app.get<{ Params: { id: string } }>(`${PLACE}/issuetemplates/:id`, ({ user, params }) => {
    const found = visibleTemplates(services, user).find(({ name }) => name === params.id)
    if (found === undefined) throw new HttpError('jira-template-not-found', hoopWords.resourceNotFound)
    return describe(services, user, found)
  })
}

/** Those of the connections that the user may see; admins see all. */
function visibleTemplates({ settings, users }: RestServices, user: GatewayUser): readonly JiraTemplate[] {
  const templates = settings.value.jira?.templates ?? []
  if (users.isAdmin(user)) return templates
  const used = new Set(users.connections(user).map((connection) => connection.jira?.name))
  return templates.filter(({ name }) => used.has(name))
}

/** Names serve as ids, as everywhere here. */
function describe({ users }: RestServices, user: GatewayUser, template: JiraTemplate): object {
  const { name } = template
  const connections = users.connections(user).filter(({ jira }) => jira?.name === name)
  return { id: name, ...template, connection_ids: connections.map((connection) => connection.name) }
}
