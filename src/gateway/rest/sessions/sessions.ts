import type { FastifyInstance } from 'fastify'
import type { GroupAnswer } from '../../../contract/session-shape.ts'
import type { AnswerOf } from '../../../contract/contract.ts'
import { sessionContract, sessionListContract, sessionStreamContract } from '../../../contract/sessions.ts'
import { checkMetadata } from '../../executions/limits.ts'
import { stopSession } from '../../executions/reviewed-execution.ts'
import type { Asked, Handlers } from '../../handlers.ts'
import { needsGathering } from '../../history/gathering.ts'
import type { HistoryPage, SessionGroup, SessionQuery, SessionSummary } from '../../history/session.ts'
import type { GatewayUser } from '../../identity.ts'
import { refused } from '../../refusals/request-refused.ts'
import type { ListedReview } from '../../reviews/review.ts'
import { FIRST_OF_LABEL } from '../../sessions/first-run.ts'
import { readExecBody } from '../body.ts'
import { EventStreams } from '../event-streams.ts'
import type { Query, Scopes } from '../mount.ts'
import type { RestServices } from '../services.ts'
import { sessionsByDay } from './by-day.ts'
import { asksForDownload, downloadRoutes, sendDownloadLink, DownloadTokens } from './downloads.ts'
import { exportRoute } from './export.ts'
import { groupsSeenBy, readListOptions } from './list-options.ts'
import { liveRoute, outputRange } from './live-streams.ts'
import { listStatements } from './statements.ts'
import { sendResult, listedSession, scriptLine, sendSession, type SessionOfUser } from './session-view.ts'

/** Answers that are streams or files, and those that a stream's options change. */
export function sessionStreamRoutes({ app, withBodies }: Scopes, services: RestServices): void {
  readingRoutes(app, services)
  exportRoute(app, services)
  liveRoute(app, services, ({ user }, id) => readableSession(services, user, id))
  metadataRoute(withBodies, services)
}

export function sessionRoutes(services: RestServices): Handlers<typeof sessionContract> {
  const { history, users } = services
  return {
    byDay: ({ user, query }) => {
      const options = readListOptions(query, groupsSeenBy(users, user))
      const asked = { days: query.days, timeZone: query.time_zone }
      return sessionsByDay(history, { ...options, viewer: users.viewer(user) }, asked)
    },
    output: ({ user, params, query }) =>
      outputRange(services.history, readableSession(services, user, params.id), query),
    statements: ({ user, params, query }) =>
      listStatements(services.history, readableSession(services, user, params.id), query),
    kill: ({ user, params }) => {
      const { id } = ownSession(services, user, params.id)
      stopSession(services, id, user.name)
      return undefined
    },
  }
}

function readingRoutes(app: FastifyInstance, services: RestServices): void {
  const { history, users } = services

  const tokens = new DownloadTokens(() => users.now)
  downloadRoutes(app, services, tokens, (user, id) => visibleSession(services, user, id))

  app.get<{ Params: { id: string }; Querystring: Query }>('/api/sessions/:id', (request, reply) => {
    const { user, params, query } = request
    const found = visibleSession(services, user, params.id, 'session-not-found/resource')
    if (!asksForDownload(query)) return sendSession(reply, services, found, query)
    if (!found.withOutput) throw refused('not-permitted/download')
    return sendDownloadLink(request, reply, found.session, tokens)
  })

  const results = new EventStreams('results')
  app.get<{ Params: { id: string }; Querystring: Query }>(
    '/api/sessions/:id/result/stream',
    (request, reply) => {
      const { user, params, query } = request
      const session = readableSession(services, user, params.id, 'session-not-found/resource')
      results.admit(request, reply)
      return sendResult(reply, history, session, query)
    },
  )
}

/**
 * Lists a user's own sessions, sessions that their groups review, and sessions of connections whose setting
 * `sessions` shows them to others. Admins and auditors see all sessions. The option `user` does not show more
 * sessions.
 */
export function sessionListRoutes(services: RestServices): Handlers<typeof sessionListContract> {
  const { users, history, longWork } = services
  const list = async ({ user, query }: Asked<(typeof sessionListContract)['list']>) => {
    const options = readListOptions(query, groupsSeenBy(users, user))
    const read = () => listView(services, history.list({ ...options, viewer: users.viewer(user) }), options)
    return needsGathering(options) ? longWork.run(user.name, read) : read()
  }
  return { list, listByOldName: list }
}

function listView(
  services: RestServices,
  { sessions, groups, total, isCapped, hasMore, searched }: HistoryPage,
  { parameter }: SessionQuery,
): AnswerOf<(typeof sessionListContract)['list'], 200> {
  return {
    data: sessions.map((session) => ({
      ...listedSession(services, session),
      ...scriptLine(services.history, session),
      ...groupView(services, groups.get(session.id)),
    })),
    total: total ?? null,
    total_is_capped: isCapped,
    has_next_page: hasMore,
    ...(searched !== undefined && {
      looked_at: { sessions: searched.sessions, is_complete: searched.areAll },
    }),
    ...(searched !== undefined &&
      parameter !== undefined && {
        parameter_search: {
          searched: searched.sessions,
          is_complete: searched.areAll,
          shortened: searched.shortened,
        },
      }),
  }
}

function groupView(
  { history }: RestServices,
  group: SessionGroup | undefined,
): { readonly group?: GroupAnswer } {
  if (group === undefined) return {}
  const { kind, name, count, counts, firstAt, lastAt, beganAt, endedAt } = group
  const of = (outcome: string) => counts.get(outcome) ?? 0
  return {
    group: {
      ...{ kind, name, count },
      is_run: kind === 'batch' && history.read(({ batches }) => batches.has(name)),
      ...{ open: of('open'), succeeded: of('succeeded'), failed: of('failed') },
      ...{ stopped: of('stopped'), rejected: of('rejected') },
      first_date: firstAt.toISOString(),
      last_date: lastAt.toISOString(),
      began_at: beganAt?.toISOString() ?? null,
      end_date: endedAt?.toISOString() ?? null,
    },
  }
}

/** Changes only the user's own session: as in hoop, not even admins replace the metadata of others. */
function metadataRoute(app: FastifyInstance, { history }: RestServices): void {
  app.patch<{ Params: { id: string } }>('/api/sessions/:id/metadata', ({ user, params, body }, reply) => {
    const session = history.session(params.id)
    if (session?.user !== user.name || body === null || body === undefined)
      throw refused('session-not-found/resource')
    const { metadata } = readExecBody(sessionStreamContract.metadata.body, body)
    checkMetadata(metadata)
    if (!history.setMetadata(session.id, metadata)) throw refused('session-not-found/resource')
    return reply.code(204).send()
  })
}

type Finding = Pick<RestServices, 'history' | 'users' | 'reviews'>

/** A session that the user may end. @throws RequestRefused 404 */
function ownSession({ history, users }: Finding, user: GatewayUser, id: string): SessionSummary {
  const session = history.session(id)
  if (session === undefined || !users.owns(user, session)) throw refused('session-not-found/session')
  return session
}

type Missing = 'session-not-found/session' | 'session-not-found/resource'

/** A session that the user may see, with or without its output. @throws RequestRefused 404 */
function visibleSession(
  { history, users, reviews }: Finding,
  user: GatewayUser,
  id: string,
  missing: Missing = 'session-not-found/session',
): SessionOfUser {
  const session = history.session(id)
  if (session === undefined) throw refused(missing)
  const isShown = isShownWith(
    history,
    session,
    (review) => user.kind === 'person' && reviews.isConcerned(user, review),
  )
  if (!isShown && !reviews.showsSession(user, session)) throw refused(missing)
  return { session, withOutput: isShown || users.reads(user, session) }
}

/** Tests whether the session is the first run of a request that the user may decide about. Its output is then shown. */
function isShownWith(
  history: Finding['history'],
  { id, labels }: SessionSummary,
  isConcerned: (review: ListedReview) => boolean,
): boolean {
  const { [FIRST_OF_LABEL]: file } = labels
  if (file === undefined) return false
  return history.read(({ reviews }) => {
    const second = reviews.facts.secondOf(id, file)
    const review = second === undefined ? undefined : reviews.find(second)
    return review !== undefined && isConcerned(review)
  })
}

/** A session whose output the user may see. @throws RequestRefused 404, 403 for reviewers */
function readableSession(
  services: Finding,
  user: GatewayUser,
  id: string,
  missing?: Missing,
): SessionSummary {
  const { session, withOutput } = visibleSession(services, user, id, missing)
  if (!withOutput) throw refused('not-permitted/stream')
  return session
}
