import { jiraContract, type JiraTemplateAnswer } from '../../contract/jira.ts'
import type { Handlers } from '../handlers.ts'
import type { GatewayUser } from '../identity.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import type { CurrentSettings } from '../settings/settings.ts'
import type { JiraTemplate } from '../settings/jira.ts'

interface JiraRouting {
  readonly settings: CurrentSettings
  readonly users: Users
}

export function jiraRoutes(services: JiraRouting): Handlers<typeof jiraContract> {
  return {
    site: () => {
      const { jira } = services.settings.value
      if (jira === undefined) return null
      return { id: 'jira', url: jira.url, user: jira.user, api_token: '', status: 'enabled' }
    },
    templates: ({ user }) =>
      visibleTemplates(services, user).map((template) => templateAnswer(services, user, template)),
    template: ({ user, params }) => {
      const found = visibleTemplates(services, user).find(({ name }) => name === params.id)
      if (found === undefined) throw refused('jira-template-not-found')
      return templateAnswer(services, user, found)
    },
  }
}

/** Admins see all templates. Other users see the templates of their connections. */
function visibleTemplates({ settings, users }: JiraRouting, user: GatewayUser): readonly JiraTemplate[] {
  const templates = settings.value.jira?.templates ?? []
  if (users.isAdmin(user)) return templates
  const used = new Set(users.connections(user).map((connection) => connection.jira?.name))
  return templates.filter(({ name }) => used.has(name))
}

/** The name is also the id, as everywhere in this API. */
function templateAnswer(
  { users }: JiraRouting,
  user: GatewayUser,
  template: JiraTemplate,
): JiraTemplateAnswer {
  const { name } = template
  const connections = users.connections(user).filter(({ jira }) => jira?.name === name)
  return { id: name, ...template, connection_ids: connections.map((connection) => connection.name) }
}
