import { Readable } from 'node:stream'
import type { ListedSession } from '../../../contract/sessions.ts'
import type { FastifyReply } from 'fastify'
import type { SessionSummary } from '../../history/session.ts'
import type { Users } from '../../people/identities/users.ts'
import type { Repositories } from '../../runbooks/repositories.ts'
import { stateView } from '../../sessions/session-state.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import { firstOption, type Query } from '../http/query.ts'
import { reviewInSession } from '../../reviews/review-view.ts'
import { ORGANIZATION, type RestServices } from '../services.ts'
import { eventStream, jsonText } from './event-stream.ts'

/** A session, and whether whoever asks may see what it has written. */
export interface SessionOfUser {
  readonly session: SessionSummary
  readonly withOutput: boolean
}

type Viewing = Pick<RestServices, 'history' | 'users' | 'sessions' | 'repositories'>

interface Listing {
  readonly users: Pick<Users, 'isConnection'>
  readonly sessions: Pick<Sessions, 'stateOf'>
  readonly repositories: Pick<Repositories, 'called'>
}

/** A session as hoop's list shows it. */
export function listedSession(services: Listing, session: SessionSummary): ListedSession {
  return { ...summary(services, session), script: null }
}

function summary(
  { users, sessions, repositories }: Listing,
  session: SessionSummary,
): Omit<ListedSession, 'script'> {
  const { connection, sessionBatchId, correlationId } = session
  return {
    id: session.id,
    org_id: ORGANIZATION,
    script_size: session.scriptSize ?? null,
    // Users have only names here, so the name fills hoop's other fields as well.
    user: session.user,
    user_id: session.user,
    user_name: session.user,
    identity_type: 'user',
    connection,
    role_name: connection,
    // Those of the past may be gone.
    resource_name: users.isConnection(connection) ? connection : '',
    connection_tags: session.origin === 'client-api-runbooks' ? null : (session.connectionTags ?? {}),
    type: session.connectionType,
    connection_subtype: session.connectionSubtype ?? '',
    review: session.review === undefined ? null : reviewInSession(session.review),
    verb: session.verb,
    origin: session.origin,
    labels: orNull(labelsOf(session, repositories)),
    metadata: orNull(session.metadata),
    ...(sessionBatchId !== undefined && { session_batch_id: sessionBatchId }),
    ...(correlationId !== undefined && { correlation_id: correlationId }),
    status: session.status,
    state: stateView(sessions.stateOf(session)),
    exit_code: session.exitCode ?? null,
    start_date: session.startedAt.toISOString(),
    end_date: session.endedAt?.toISOString() ?? null,
    event_size: session.outputBytes,
    truncated_bytes: session.truncatedBytes,
    redacted_bytes: session.redactedBytes,
    ai_analysis: null,
    integrations_metadata: integrations(session.issue),
    jira_transition: session.issue?.move ?? null,
    guardrails_info:
      session.guardrails === undefined
        ? null
        : (JSON.parse(session.guardrails) as ListedSession['guardrails_info']),
    metrics: session.status === 'done' ? metrics(session) : null,
  }
}

/** A record of old calls a folder of this machine by its path: it is called as it is now, so that its form is found. */
function labelsOf(
  { labels }: SessionSummary,
  repositories: Listing['repositories'],
): Readonly<Record<string, string>> {
  const { runbookRepository: recorded } = labels
  const known = recorded === undefined ? undefined : repositories.called(recorded)
  return known === undefined ? labels : { ...labels, runbookRepository: known.key }
}

/** hoop's gateway keeps what was sent, and an empty object is not sent. */
function orNull<Fields extends object>(fields: Fields): Fields | null {
  return Object.keys(fields).length === 0 ? null : fields
}

const NOTHING_MASKED = { err_count: 0, info_types: {}, total_redact_count: 0, transformed_bytes: 0 }

/** As in hoop's gateway, where they come with the end. */
function metrics({
  masking,
  outputBytes,
  truncatedBytes,
}: SessionSummary): NonNullable<ListedSession['metrics']> {
  return {
    data_masking: masking === undefined ? NOTHING_MASKED : (JSON.parse(masking) as typeof NOTHING_MASKED),
    event_size: outputBytes,
    truncated: truncatedBytes > 0,
  }
}

function integrations(issue: SessionSummary['issue']): ListedSession['integrations_metadata'] {
  return issue === undefined ? null : { jira_issue_key: issue.key, jira_issue_url: issue.url }
}

/**
 * Answers as hoop does (protocol.md 10.4): with the script, unless something else was asked to be expanded. Script and
 * events are read from the history as fast as the caller takes them.
 */
export function sendSession(
  reply: FastifyReply,
  services: Viewing,
  { session, withOutput }: SessionOfUser,
  query: Query,
): FastifyReply {
  const { history } = services
  const expand = (firstOption(query, 'expand') ?? '').split(',').filter((part) => part !== '')
  const withScript = expand.length === 0 || expand.includes('session_input')
  const script = jsonText('utf8', withScript ? history.script(session.id) : [])
  const options = { form: firstOption(query, 'event_stream'), sizes: expand.includes('resize') }
  const events =
    withOutput && expand.includes('event_stream') ? eventStream(history, session.id, options) : undefined
  reply.type('application/json; charset=utf-8')
  return reply.send(Readable.from(view(summary(services, session), script, events), { objectMode: false }))
}

function* view(
  described: object,
  script: Iterable<string>,
  events: Iterable<string> | undefined,
): Generator<string, void> {
  yield `${JSON.stringify(described).slice(0, -1)},"script":{"data":`
  yield* script
  yield '}'
  if (events !== undefined) {
    yield ',"event_stream":['
    yield* events
    yield ']'
  }
  yield '}'
}
