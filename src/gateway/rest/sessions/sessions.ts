import type { FastifyInstance, FastifyRequest } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { GatewayUser } from '../../identity.ts'
import { EventStreams } from '../http/event-streams.ts'
import { HttpError } from '../http/http-error.ts'
import type { Query } from '../http/query.ts'
import { asksForDownload, downloadRoutes, sendDownloadLink } from './download-routes.ts'
import { DownloadTokens } from './download-tokens.ts'
import { readListOptions } from './list-options.ts'
import { liveRoute } from './live-streams.ts'
import { outputRangeRoute } from './output-range.ts'
import type { RestServices } from '../services.ts'
import { exportRoute } from './session-export.ts'
import { sendResult } from './session-result.ts'
import { ownSession, readableSession, visibleSession } from './found-session.ts'
import { listedSession, sendSession } from './session-view.ts'

/** Under both of hoop's names. */
const LISTS = ['/api/sessions', '/api/plugins/audit/sessions']

/** Finding sessions, reading them back, and ending one. */
export function sessionRoutes(app: FastifyInstance, services: RestServices): void {
  readingRoutes(app, services)
  exportRoute(app, services)
  const find = ({ user }: FastifyRequest, id: string) => readableSession(services, user, id)
  liveRoute(app, services, find)
  outputRangeRoute(app, services, find)

  app.post<{ Params: { id: string } }>('/api/sessions/:id/kill', async (request, reply) => {
    const { user } = request
    const { id } = ownSession(services, user, request.params.id)
    const isRunning = services.sessions.kill(id, user.name)
    if (!isRunning) services.reviews.cancel(id, hoopWords.sessionKilled, user.name)
    return reply.code(204).send()
  })
}

function readingRoutes(app: FastifyInstance, services: RestServices): void {
  const { history } = services

  const tokens = new DownloadTokens()
  downloadRoutes(app, services, tokens)

  for (const path of LISTS)
    app.get<{ Querystring: Query }>(path, ({ user, query }) => listSessions(services, user, query))

  app.get<{ Params: { id: string }; Querystring: Query }>('/api/sessions/:id', (request, reply) => {
    const { user, params, query } = request
    const found = visibleSession(services, user, params.id, hoopWords.notFound)
    if (!asksForDownload(query)) return sendSession(reply, services, found, query)
    if (!found.withOutput) throw new HttpError('not-permitted', hoopWords.notToDownload)
    return sendDownloadLink(request, reply, found.session, tokens)
  })

  const results = new EventStreams('results')
  app.get<{ Params: { id: string }; Querystring: Query }>(
    '/api/sessions/:id/result/stream',
    (request, reply) => {
      const { user, params, query } = request
      const session = readableSession(services, user, params.id, hoopWords.notFound)
      results.admit(request, reply)
      return sendResult(reply, history, session, query)
    },
  )
}

/** Their own, those that their groups review, and to admins and auditors all. Asking for another user by name changes nothing. */
function listSessions(services: RestServices, user: GatewayUser, query: Query): object {
  const { users, history } = services
  const options = readListOptions(query, (name) => users.named(name)?.groups ?? [])
  const viewer = users.seesAll(user) ? undefined : user
  const { sessions, total, isCapped, hasMore } = history.list({ ...options, viewer })
  return {
    data: sessions.map((session) => listedSession(services, session)),
    total: total ?? null,
    total_is_capped: isCapped,
    has_next_page: hasMore,
  }
}
