import { untilAbort, within } from '../../basics/abort.ts'
import { RepeatedWarnings } from '../../basics/logger.ts'
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import { refused, type RequestRefused } from '../refusals/request-refused.ts'
import { authorize, isPage, requireOperations, endWithToken } from './access.ts'
import { auditCalls } from './audited-calls.ts'
import { compressAnswers } from './compressed-answers.ts'
import { addResources, OPERATIONS } from './resources.ts'
import { readBodiesInTurns, MAX_BODY_BYTES, parseJsonBodies, passOverBodies } from './body.ts'
import { errorBody, errorHeaders, requestRefusal } from './http-error.ts'
import { answerFaults, checkHost, faultOptions, knowCallers } from './http-faults.ts'
import { describeRoutes, MAX_NAME_CHARACTERS } from './openapi.ts'
import { EXEC_STREAM } from '../../wire/framed-packets.ts'
import { framedStreams } from './framed-call.ts'
import { KnownHosts } from './known-hosts.ts'
import { MCP } from './mcp.ts'
import type { RestServices } from './services.ts'
import { isMistyped, pageRoutes, sendMistyped } from './page/files.ts'
import { serveSockets, TERMINAL } from './page/terminal.ts'
import { RequestOrder } from './request-order.ts'
import { boundUnreadAnswers } from './unread-answers.ts'
import { serveUpgrades } from './upgrades.ts'

/** This time is longer than any wait of the gateway, so it never cuts off an execution's answer. */
const REQUEST_MS = 5 * 60 * 1000

/**
 * Answers contain tokens, scripts and output. Caches must not store them, and browsers must not show them as
 * a page.
 */
const UNKEPT = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

declare module 'fastify' {
  interface FastifyInstance {
    /** Settles after all changing requests are answered, after `ANSWERS_MS`, or when `over` aborts. */
    answersSent: (over: AbortSignal) => Promise<void>
  }
}

/** Time to send the largest answer (`RECORDED_BYTES`) to a slow reader. */
const ANSWERS_MS = 30_000

/** The caller calls `listen` and `close`. */
export function restServer(services: RestServices): FastifyInstance {
  const app = fastify({
    ...faultOptions(services),
    bodyLimit: MAX_BODY_BYTES,
    https: services.server.tls?.tls ?? null,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_NAME_CHARACTERS },
  })
  const warnings = new RepeatedWarnings(services.log)
  app.setErrorHandler((error: FastifyError, _, reply) => {
    if (error.code === 'too-much-at-once') warnings.warn({ reason: error.message }, 'request refused')
    return answerError(services, error, reply)
  })
  app.setNotFoundHandler((request, reply) => {
    if (isMistyped(request)) return sendMistyped(reply)
    const endpoint = `${request.method} ${request.url.split('?')[0] ?? ''}`
    return sendError(reply, refused('endpoint-not-found/any', { endpoint }))
  })
  const order = new RequestOrder(app.server)
  const hosts = new KnownHosts(services)
  answerFaults(app.server, order, services)
  knowCallers(app, services.callerAddress)
  const answers = new Set<Promise<unknown>>()
  app.decorate('answersSent', async (over) => {
    await within(untilAbort(Promise.all(answers), over), ANSWERS_MS)
  })
  let isClosing = false
  app.addHook('preClose', (done) => {
    isClosing = true
    order.close()
    done()
  })
  // This hook runs before the body is read, so that callers without a token cannot make this process parse a
  // body.
  app.addHook('onRequest', (request, reply, done) => {
    const isForPeople = isPage(request.routeOptions.url) || isMistyped(request)
    if (!isForPeople) void reply.headers(UNKEPT)
    hosts.check(request.raw)
    // Without an upgrade, this request comes through a proxy that has dropped the offer of the upgrade. The
    // client continues over gRPC with the same token, so a wrong token counts only there.
    const isUnoffered = request.raw.url === EXEC_STREAM
    // Clients of /mcp look here for a sign-in that this gateway does not have, without a token.
    const isUnknown = request.routeOptions.url === undefined && request.url.startsWith('/.well-known/')
    const signedIn = isForPeople || isUnoffered || isUnknown ? undefined : authorize(services, request)
    // A WebSocket reports its end in a frame, so it is left out here. The route is compared, because any
    // request can have the upgrade header.
    const isSocket = request.routeOptions.url === TERMINAL
    // Calls of tools are answered before they end: their clients would wait for the answer otherwise.
    const isMcp = request.routeOptions.url === MCP
    if (signedIn !== undefined && !isSocket && !isMcp) endWithToken(services.live, signedIn.token, reply)
    checkHost(request.raw)
    if (isClosing) throw refused('gateway-stopped/shutdown')
    if (signedIn !== undefined && request.method !== 'GET') {
      const sent = new Promise((resolve) => reply.raw.once('close', resolve))
      answers.add(sent)
      void sent.then(() => answers.delete(sent))
    }
    done()
  })
  serveUpgrades(app.server, order, hosts, [serveSockets(app), framedStreams(app, services)])
  requireOperations(app, OPERATIONS)
  auditCalls(app, services)
  app.decorate('patiently', (work) => services.history.patiently(work))
  readBodiesInTurns(app)
  passOverBodies(app)
  compressAnswers(app)
  boundUnreadAnswers(app)
  services.server.tls?.follow((tls) => app.server.setSecureContext(tls))
  describeRoutes(app, OPERATIONS, services.server.version)
  void app.register((described, _, done) => {
    addRoutes(described, services)
    done()
  })
  return app
}

function addRoutes(app: FastifyInstance, services: RestServices): void {
  pageRoutes(app)
  void app.register((withBodies, _, done) => {
    parseJsonBodies(withBodies, services.settings)
    addResources({ app, withBodies }, services)
    done()
  })
}

function answerError(services: RestServices, error: FastifyError, reply: FastifyReply): FastifyReply {
  const { message } = error
  const known = requestRefusal(error)
  if (known !== undefined) return sendError(reply, known)
  const { statusCode } = error
  if (statusCode !== undefined && statusCode < 500) return sendError(reply, refusal(error))
  // The reason of a bug is only logged: callers learn nothing about the program.
  services.log.error({ error: message, stack: error.stack }, 'request failed')
  return sendError(reply, refused('internal-error'))
}

function sendError(reply: FastifyReply, error: RequestRefused): FastifyReply {
  return reply.code(error.status).headers(errorHeaders(error)).send(errorBody(error))
}

/** Explains one of fastify's own errors in terms of the request. */
function refusal(error: FastifyError): RequestRefused {
  // Without a code, the error says that the path leads out of the directory of served files.
  if (!error.code) return refused('endpoint-not-found/none')
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return refused('too-large/body')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return refused('malformed-http/content-type')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return refused('malformed-http/content-length')
    default:
      return refused('invalid-request/body', { problem: error.message })
  }
}
