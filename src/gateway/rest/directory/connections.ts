import type { FastifyInstance } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { ConnectionSettings } from '../../settings/settings.ts'
import { hasTags, parseTagSelector, type TagSelector } from '../../connections/tags.ts'
import { visibleConnection } from '../access.ts'
import { HttpError } from '../http/http-error.ts'
import { filledOption, firstOption, pageOf, type Query } from '../http/query.ts'
import type { RestServices } from '../services.ts'

/** The connections that a user may see, and where they run. Never their secrets, nor their commands. */
export function connectionRoutes(app: FastifyInstance, services: RestServices): void {
  app.get<{ Querystring: Query }>('/api/connections', ({ user, query }) => {
    const isAskedFor = filterOf(query)
    const seen = services.users.connections(user).map((one) => describe(services, one))
    return pageOf(query, seen.filter(isAskedFor))
  })

  app.get<{ Params: { name: string } }>('/api/connections/:name', ({ user, params }) => {
    const missing = () => new HttpError('connection-not-found', hoopWords.notFound)
    const connection = visibleConnection(services.users, user, params.name, missing)
    return { ...describe(services, connection), effective_features: featuresOf(connection) }
  })

  // hoop's command line asks which plugins a connection has: none.
  app.get('/api/plugins', () => [])
  app.get('/api/plugins/:name', () => {
    throw new HttpError('plugin-not-found', hoopWords.pluginNotFound)
  })
}

type Described = ReturnType<typeof describe>

/** hoop's options. All that are given have to hold. @throws HttpError 400 */
function filterOf(query: Query): (connection: Described) => boolean {
  const selector = askedTags(firstOption(query, 'tag_selector'))
  const [search, part] = ['search', 'name'].map((option) =>
    filledOption(query, option)?.trimStart().toLowerCase(),
  )
  const ids = filledOption(query, 'connection_ids')
    ?.split(',')
    .map((id) => id.trim())
  const equal = (['type', 'subtype', 'agent_id', 'resource_name'] as const).flatMap((field) => {
    const value = filledOption(query, field)
    return value === undefined ? [] : [{ field, value }]
  })
  // Connections have no such field here, so none matches.
  const isNone = ['attribute', 'managed_by', 'tags'].some(
    (option) => filledOption(query, option) !== undefined,
  )
  return (connection) =>
    !isNone &&
    hasTags(connection.connection_tags, selector) &&
    equal.every(({ field, value }) => connection[field] === value) &&
    ids?.includes(connection.id) !== false &&
    (part === undefined || connection.name.toLowerCase().includes(part)) &&
    (search === undefined || searched(connection).some((text) => text.toLowerCase().includes(search)))
}

const searched = ({ name, type, subtype, resource_name: resource, status }: Described) => [
  ...[name, type, subtype, resource, status],
]

/** @throws HttpError 400 */
function askedTags(text = ''): TagSelector {
  const selector = text === '' ? [] : parseTagSelector(text)
  if (selector !== undefined) return selector
  throw new HttpError('invalid-request', 'tag_selector: must be like env=prod,region!=eu')
}

/**
 * hoop's object, field by field. Names serve as ids, since hoop accepts either in a path. Fields that callers need not
 * know (`command`, `secret`) are empty, as are fields about features that are not here.
 */
function describe({ agents }: Pick<RestServices, 'agents'>, connection: ConnectionSettings) {
  const { name, type, subtype = '', tags, agent, access, review, guardrails, jira } = connection
  const refusal = terminalRefusal(connection)
  return {
    ...{ id: name, name, resource_name: name, type, subtype, command: [], secret: {}, default_database: '' },
    ...{ status: agents.isOnline(agent) ? 'online' : 'offline', agent_id: agent, managed_by: null },
    ...{ tags: [], connection_tags: tags, attributes: [], mandatory_metadata_fields: [] },
    reviewers: review?.groups ?? [],
    min_review_approvals: review?.minimum ?? null,
    force_approve_groups: review?.forceGroups ?? null,
    access_max_duration: review === undefined ? null : review.accessMaxMs / 1000,
    ...{ redact_enabled: false, redact_types: [] },
    guardrail_rules: guardrails.map((one) => one.name),
    access_mode_runbooks: mode(access.runbooks && connection.runbooks !== undefined),
    access_mode_exec: mode(access.exec),
    access_mode_connect: mode(access.connect && refusal === ''),
    access_mode_connect_reason: access.connect ? refusal : '',
    access_schema: mode(false),
    jira_issue_template_id: jira?.name ?? '',
  }
}

/** The features that act on the connection's sessions. */
function featuresOf({ guardrails, masking, jira, review, runbooks }: ConnectionSettings): object {
  const isReviewed = review !== undefined
  const ofRunbooks = (runbooks?.reviews ?? []).some((rule) => rule.review !== undefined)
  return {
    ...{
      guardrails: guardrails.length > 0,
      data_masking: masking !== undefined,
      jira_templates: jira !== undefined,
    },
    ...{ ai_session_analyzer: false, mandatory_metadata: false },
    access_request: { command: isReviewed || ofRunbooks, jit: isReviewed, legacy_reviewers: isReviewed },
  }
}

function mode(enabled: boolean): 'enabled' | 'disabled' {
  return enabled ? 'enabled' : 'disabled'
}

/** Why the agent refuses each terminal although the settings allow them; else empty. */
function terminalRefusal({ masking }: ConnectionSettings): string {
  if (masking?.dlpMode !== 'strict') return ''
  return 'the output of this connection is masked (strict), and a terminal cannot be masked'
}
