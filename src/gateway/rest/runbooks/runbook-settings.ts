import type { FastifyInstance } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { ConnectionSettings } from '../../settings/settings.ts'
import { HttpError } from '../http/http-error.ts'
import type { NamedRepository } from '../../runbooks/repositories.ts'
import { ORGANIZATION, type RestServices } from '../services.ts'

// What hoop's gateway keeps in its database stands in gateway.yaml here. It is shown in hoop's form, and not changed.

/** A file has no times of its own for its parts. */
const TIMES = { created_at: null, updated_at: null }

export function runbookSettingsRoutes(app: FastifyInstance, services: RestServices): void {
  app.get('/api/runbooks/rules', ({ user }) => rulesOf(services, services.users.connections(user)))

  app.get<{ Params: { id: string } }>('/api/runbooks/rules/:id', ({ user, params }) => {
    const [rule] = rulesOf(services, [services.users.connection(user, params.id)])
    if (rule === undefined) throw new HttpError('rule-not-found', hoopWords.ruleNotFound)
    return rule
  })

  app.get('/api/runbooks/configurations', () => {
    const repositories = services.repositories.all
    if (repositories.length === 0)
      throw new HttpError('runbooks-not-configured', hoopWords.noRunbookConfiguration, 404)
    return {
      id: ORGANIZATION,
      org_id: ORGANIZATION,
      repositories: repositories.map(configurationOf),
      ...TIMES,
    }
  })
}

/** One for each connection: whoever may see it runs there what lies in its path. */
function rulesOf(
  { repositories }: RestServices,
  connections: readonly (ConnectionSettings | undefined)[],
): object[] {
  return connections.flatMap((connection) => {
    const own = repositories.named(connection?.runbooks?.repository)
    if (connection?.access.runbooks !== true || own === undefined) return []
    return [ruleOf(connection, own)]
  })
}

function ruleOf({ name, runbooks, access }: ConnectionSettings, { key }: NamedRepository): object {
  return {
    id: name,
    org_id: ORGANIZATION,
    name,
    description: '',
    runbooks: [{ repository: key, name: runbooks?.path ?? '' }],
    connections: [name],
    user_groups: access.groups ?? [],
    ...TIMES,
  }
}

/** Without secrets, which hoop shows. */
function configurationOf({ key, gitUrl, refreshMs }: NamedRepository): object {
  return {
    repository: key,
    git_url: gitUrl,
    git_user: '',
    git_password: '',
    ssh_key: '',
    ssh_user: '',
    ssh_keypass: '',
    ssh_known_hosts: '',
    git_hook_ttl: Math.round(refreshMs / 1000),
  }
}
