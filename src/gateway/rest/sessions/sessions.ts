import type { FastifyInstance } from 'fastify'
import { sessionContract, sessionListContract } from '../../../contract/sessions.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { Asked, Handlers } from '../../handlers.ts'
import { EventStreams } from '../http/event-streams.ts'
import { HttpError } from '../http/http-error.ts'
import type { Query } from '../http/query.ts'
import { mount } from '../mount.ts'
import type { RestServices } from '../services.ts'
import { asksForDownload, downloadRoutes, sendDownloadLink } from './download-routes.ts'
import { DownloadTokens } from './download-tokens.ts'
import { ownSession, readableSession, visibleSession } from './found-session.ts'
import { readListOptions } from './list-options.ts'
import { liveRoute } from './live-streams.ts'
import { outputRange } from './output-range.ts'
import { exportRoute } from './session-export.ts'
import { sendResult } from './session-result.ts'
import { listedSession, sendSession } from './session-view.ts'

/** Finding sessions, reading them back, and ending one. */
export function sessionRoutes(app: FastifyInstance, services: RestServices): void {
  readingRoutes(app, services)
  exportRoute(app, services)
  liveRoute(app, services, ({ user }, id) => readableSession(services, user, id))
  mount(app, sessionContract, ownRoutes(services))
}

function ownRoutes(services: RestServices): Handlers<typeof sessionContract> {
  return {
    output: ({ user, params, query }) =>
      outputRange(services.history, readableSession(services, user, params.id), query),
    kill: ({ user, params }) => {
      const { id } = ownSession(services, user, params.id)
      const isRunning = services.sessions.kill(id, user.name)
      if (!isRunning) services.reviews.cancel(id, hoopWords.sessionKilled, user.name)
      return undefined
    },
  }
}

function readingRoutes(app: FastifyInstance, services: RestServices): void {
  const { history } = services

  const tokens = new DownloadTokens()
  downloadRoutes(app, services, tokens)

  mount(app, sessionListContract, listRoutes(services))

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
function listRoutes({ users, history, ...services }: RestServices): Handlers<typeof sessionListContract> {
  const list = ({ user, query }: Asked<(typeof sessionListContract)['list']>) => {
    const options = readListOptions(query, (name) => users.named(name)?.groups ?? [])
    const viewer = users.seesAll(user) ? undefined : user
    const { sessions, total, isCapped, hasMore } = history.list({ ...options, viewer })
    return {
      data: sessions.map((session) => listedSession({ ...services, users }, session)),
      total: total ?? null,
      total_is_capped: isCapped,
      has_next_page: hasMore,
    }
  }
  return { list, listByOldName: list }
}
