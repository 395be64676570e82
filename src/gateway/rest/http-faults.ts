import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ConnectionError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { CallerAddress } from '../../basics/net/address.ts'
import { refused, RequestRefused } from '../refusals/request-refused.ts'
import { authenticate } from './access.ts'
import { errorBody, errorHeaders } from './http-error.ts'
import type { RequestOrder } from './request-order.ts'
import type { RestServices } from './services.ts'

// Node and fastify answer some faults before a route is found. The code here gives these answers the usual
// form. If the request has headers, the token is checked first.

/**
 * A client that still sends gets this time to read the answer. If the socket closed at once, the client's
 * system could drop the answer.
 */
const GOODBYE_MS = 1000

type Who = Pick<RestServices, 'users' | 'callerAddress'>

/** Options for the server itself. */
export function faultOptions(who: Who) {
  return {
    // `checkHost` checks the header instead, and refuses in the usual form.
    http: { requireHostHeader: false },
    return503OnClosing: false,
    frameworkErrors: (error: Error & { code: string }, request: FastifyRequest, reply: FastifyReply) => {
      const refusal = refusalOf(who, request.raw, pathFault(error.code))
      return reply.code(refusal.status).headers(errorHeaders(refusal)).send(errorBody(refusal))
    },
  }
}

/** Call this once, before the first request. */
export function answerFaults(server: Server, order: RequestOrder, who: Who): void {
  server.removeAllListeners('clientError')
  server.on('clientError', (error: ConnectionError, socket: Duplex) => refuseMalformed(error, socket, order))
  server.on('checkExpectation', (request: IncomingMessage, answer: ServerResponse) =>
    order.begin(request, answer, () => refuseExpectation(who, request, answer)),
  )
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    if (order.endHandedOver(socket)) return
    endWith(socket, refusalOf(who, request, refused('endpoint-not-found/connect')))
  })
}

function refuseExpectation(who: Who, request: IncomingMessage, answer: ServerResponse): void {
  const refusal = refusalOf(who, request, refused('malformed-http/expect'))
  const body = JSON.stringify(errorBody(refusal))
  const length = Buffer.byteLength(body)
  answer.writeHead(refusal.status, {
    ...errorHeaders(refusal),
    'content-type': JSON_TYPE,
    'content-length': length,
    connection: 'close',
  })
  answer.end(body)
}

/** HTTP/1.1 requires `Host`; 1.0 does not have it. @throws RequestRefused 400 */
export function checkHost({ httpVersion, headers }: IncomingMessage): void {
  if (httpVersion === '1.1' && headers.host === undefined) throw refused('malformed-http/host')
}

const JSON_TYPE = 'application/json; charset=utf-8'

function pathFault(code: string): RequestRefused {
  if (code === 'FST_ERR_BAD_URL') return refused('malformed-http/path')
  return refused('endpoint-not-found/long-name')
}

function refusalOf(
  { users, callerAddress }: Who,
  request: IncomingMessage,
  fault: RequestRefused,
): RequestRefused {
  try {
    authenticate(users, request.headers, addressOf(callerAddress, request))
    return fault
  } catch (error) {
    if (error instanceof RequestRefused) return error
    throw error
  }
}

/**
 * Sockets that end after their pending answer. Node reports each later piece from these clients as a new
 * fault, which is ignored.
 */
const ending = new WeakSet<Duplex>()

function refuseMalformed(
  error: ConnectionError & { reason?: string },
  socket: Duplex,
  order: RequestOrder,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return void socket.destroy()
  if (socket.writableEnded || ending.has(socket)) return
  // The malformed bytes came after complete requests, so the socket ends only after their answers.
  if (order.endAfterAnswers(socket)) ending.add(socket)
  else endWith(socket, malformed(error))
}

function malformed({ code, reason }: ConnectionError & { reason?: string }): RequestRefused {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refused('request-timeout')
    case 'HPE_HEADER_OVERFLOW':
      return refused('too-large/headers')
    case 'HPE_PAUSED_H2_UPGRADE':
      return refused('malformed-http/http2')
    default:
      return reason
        ? refused('malformed-http/request-with-reason', { reason })
        : refused('malformed-http/request')
  }
}

function endWith(socket: Duplex, refusal: RequestRefused): void {
  const { status } = refusal
  const body = JSON.stringify(errorBody(refusal))
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${JSON_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...Object.entries(errorHeaders(refusal)).map(([name, value]) => `${name}: ${value}`),
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  setTimeout(() => socket.destroy(), GOODBYE_MS).unref()
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Use this address instead of `ip`, because `ip` is the proxy's address behind a proxy. */
    readonly callerAddress: string
  }
}

export function knowCallers(app: FastifyInstance, callerAddress: CallerAddress): void {
  app.decorateRequest('callerAddress', {
    getter(this: FastifyRequest) {
      return addressOf(callerAddress, this.raw)
    },
  })
}

export function addressOf(callerAddress: CallerAddress, { headers, socket }: IncomingMessage): string {
  return callerAddress(socket.remoteAddress ?? '', headers['x-forwarded-for']?.toString())
}
