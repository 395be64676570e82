import {
  connectionContract,
  type FeaturesAnswer,
  type ListedConnectionAnswer,
} from '../../contract/connections.ts'
import type { AnswerOf, QueryOf } from '../../contract/contract.ts'
import { USUAL_PAGE } from '../../contract/words.ts'
import type { Agents } from '../agents/agents.ts'
import type { Handlers } from '../handlers.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import { nativeProtocol, portObstacle, terminalObstacle } from '../sessions/session-request.ts'
import { unreviewedUses } from '../settings/unreviewed.ts'
import { hasTags, parseTagSelector, type TagSelector } from '../settings/connections.ts'

interface ConnectionRouting {
  readonly users: Users
  readonly agents: Agents
}

type Query = QueryOf<typeof connectionContract.list>

/** The answers never contain secrets or commands. */
export function connectionRoutes(services: ConnectionRouting): Handlers<typeof connectionContract> {
  return {
    list: ({ user, query }) => {
      const isAskedFor = filterOf(query)
      const seen = services.users.connections(user).map((one) => listed(services, one))
      return pageOf(query, seen.filter(isAskedFor))
    },
    show: ({ user, params }) => {
      const connection = services.users.connection(user, params.name)
      if (connection === undefined) throw refused('connection-not-found/in-list')
      return { ...listed(services, connection), effective_features: featuresOf(connection) }
    },
    plugins: () => [],
    plugin: () => {
      throw refused('plugin-not-found')
    },
  }
}

/**
 * Returns a filter of connections. A connection has to match all options of the query.
 * @throws RequestRefused 400
 */
function filterOf(query: Query): (connection: ListedConnectionAnswer) => boolean {
  const selector = askedTags(query.tag_selector)
  const [search, part] = [query.search, query.name].map((option) => option?.trimStart().toLowerCase())
  const ids = query.connection_ids?.split(',').map((id) => id.trim())
  const equal = (['type', 'subtype', 'agent_id', 'resource_name'] as const).flatMap((field) => {
    const value = query[field]
    return value === undefined ? [] : [{ field, value }]
  })
  // Connections of this gateway do not have these fields. If a query asks for one of these fields, no
  // connection matches.
  const isNone = [query.attribute, query.managed_by, query.tags].some((option) => option !== undefined)
  return (connection) =>
    !isNone &&
    hasTags(connection.connection_tags, selector) &&
    equal.every(({ field, value }) => connection[field] === value) &&
    ids?.includes(connection.id) !== false &&
    (part === undefined || connection.name.toLowerCase().includes(part)) &&
    (search === undefined || searched(connection).some((text) => text.toLowerCase().includes(search)))
}

const searched = ({ name, type, subtype, resource_name: resource, status }: ListedConnectionAnswer) => [
  ...[name, type, subtype, resource, status],
]

/** @throws RequestRefused 400 */
function askedTags(text: string | undefined): TagSelector {
  const selector = text === undefined ? [] : parseTagSelector(text)
  if (selector !== undefined) return selector
  throw refused('invalid-request/tag-selector')
}

/** Returns a page only if the caller asks for a page or a size, as in hoop. */
function pageOf(
  query: Query,
  list: readonly ListedConnectionAnswer[],
): AnswerOf<typeof connectionContract.list> {
  const { page = 1, page_size: size = USUAL_PAGE } = query
  if (query.page === undefined && query.page_size === undefined) return list
  const data = list.slice((page - 1) * size, page * size)
  return { pages: { total: list.length, page, size }, data }
}

/**
 * Returns the answer about a connection. Its name is also its id, because hoop accepts both in a path. Secret
 * and command stay empty.
 */
function listed(
  { agents }: Pick<ConnectionRouting, 'agents'>,
  connection: ConnectionSettings,
): ListedConnectionAnswer {
  const { name, type, subtype = '', tags, agent, access, review, guardrails, jira } = connection
  const obstacle = terminalObstacle(connection)
  const hasPort = access.connect && portObstacle(connection) === undefined
  return {
    id: name,
    name,
    resource_name: name,
    type,
    subtype,
    command: [],
    secret: {},
    default_database: '',
    status: agents.isOnline(agent) ? 'online' : 'offline',
    agent_id: agent,
    managed_by: null,
    tags: [],
    connection_tags: tags,
    attributes: [],
    mandatory_metadata_fields: [],
    reviewers: review?.groups ?? [],
    min_review_approvals: review?.minimum ?? null,
    force_approve_groups: review?.forceGroups ?? null,
    access_max_duration: review === undefined ? null : review.accessMaxMs / 1000,
    runbook_reviews: runbookReviews(connection),
    reason: connection.reason ?? null,
    unreviewed: unreviewedUses(connection),
    redact_enabled: false,
    redact_types: [],
    guardrail_rules: guardrails.map((one) => one.name),
    access_mode_runbooks: mode(access.runbooks && connection.runbooks !== undefined),
    access_mode_exec: mode(access.exec),
    access_mode_connect: mode(access.connect && obstacle === undefined),
    access_mode_connect_reason: access.connect && obstacle !== undefined ? obstacle.reason : '',
    native_port: (hasPort ? nativeProtocol(connection) : undefined) ?? null,
    access_schema: mode(false),
    jira_issue_template_id: jira?.name ?? '',
  }
}

function featuresOf({ guardrails, masking, jira, review, runbooks }: ConnectionSettings): FeaturesAnswer {
  const isReviewed = review !== undefined
  const ofRunbooks = (runbooks?.reviews ?? []).some((rule) => rule.review !== undefined)
  return {
    guardrails: guardrails.length > 0,
    data_masking: masking !== undefined,
    jira_templates: jira !== undefined,
    ai_session_analyzer: false,
    mandatory_metadata: false,
    access_request: { command: isReviewed || ofRunbooks, jit: isReviewed, legacy_reviewers: isReviewed },
  }
}

/** Maximum number of rules of one connection in an answer. */
const MAX_RULES = 20

function runbookReviews({ runbooks }: ConnectionSettings) {
  return (runbooks?.reviews ?? []).slice(0, MAX_RULES).map(({ path, review }) => ({
    path: path.text,
    groups: [...(review?.groups ?? [])],
    minimum: review?.minimum ?? 0,
  }))
}

function mode(enabled: boolean): 'enabled' | 'disabled' {
  return enabled ? 'enabled' : 'disabled'
}
