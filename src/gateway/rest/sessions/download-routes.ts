import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { SessionSummary } from '../../history/session.ts'
import { DownloadError } from '../http/http-error.ts'
import { firstOption, type Query } from '../http/query.ts'
import { apiUrl } from '../gateway-routes.ts'
import type { RestServices } from '../services.ts'
import { downloadOptions, sendInputFile, sendOutputFile } from './download.ts'
import type { DownloadTokens } from './download-tokens.ts'

/** No user is needed here: the link has a token of its own. */
const DOWNLOADS = ['/api/sessions/:id/download', '/api/sessions/:id/download/input'] as const

interface DownloadRequest {
  Params: { id: string }
  Querystring: Query
}

/** The second step of a download. The first is `downloadLink`. */
export function downloadRoutes(app: FastifyInstance, services: RestServices, tokens: DownloadTokens): void {
  const { history } = services
  const [output, input] = DOWNLOADS
  app.get<DownloadRequest>(output, (request, reply) =>
    sendOutputFile(reply, history, redeemed(services, tokens, request), request.query),
  )
  app.get<DownloadRequest>(input, (request, reply) =>
    sendInputFile(reply, history, redeemed(services, tokens, request), request.query),
  )
}

/** Whether a request for a session asks for a link to download it instead. */
export function asksForDownload(query: Query): boolean {
  return ['extension', 'blob-type'].some((name) => (firstOption(query, name) ?? '') !== '')
}

/** The first step: where the session can be downloaded, once. */
export function sendDownloadLink(
  request: FastifyRequest<DownloadRequest>,
  reply: FastifyReply,
  session: SessionSummary,
  tokens: DownloadTokens,
): FastifyReply {
  const { query, user, server } = request
  const { token, expiresAt } = tokens.issue(session.id, user.name)
  const isInput = firstOption(query, 'blob-type') === 'session_input'
  const options = new URLSearchParams([['token', token], ...downloadOptions(query)])
  const path = `/api/sessions/${encodeURIComponent(session.id)}/download${isInput ? '/input' : ''}`
  return reply.header('cache-control', 'no-store').send({
    download_url: `${apiUrl(server, request)}${path}?${options.toString()}`,
    expire_at: expiresAt.toISOString(),
  })
}

/** @throws DownloadError 401, 404, 410 */
function redeemed(
  { history }: RestServices,
  tokens: DownloadTokens,
  request: FastifyRequest<DownloadRequest>,
): SessionSummary {
  const { id } = request.params
  const { outcome, user = '' } = tokens.redeem(id, firstOption(request.query, 'token') ?? '')
  request.auditedActor = user
  const session = history.session(id)
  if (session === undefined || outcome === 'none')
    throw new DownloadError('session-not-found', hoopWords.notFound)
  if (outcome === 'wrong') throw new DownloadError('unauthenticated', hoopWords.unauthorized)
  if (outcome === 'expired') throw new DownloadError('download-expired', hoopWords.downloadExpired)
  return session
}
