import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from '../basics/logger.ts'
import { type Address, formatAddress, isLoopback } from '../basics/net/address.ts'
import { SetUpError } from '../basics/set-up-error.ts'
import { type Health, liveness, LoopMonitor } from './health.ts'
import { Metrics, type MetricSource } from './metrics.ts'

/** Maximum lifetime of a connection, even of a busy one. */
const CONNECTION_MS = 10_000
const MAX_CONNECTIONS = 32
const MAX_HEADER_BYTES = 8192
const TEXT = 'text/plain; charset=utf-8'

interface HttpOptions {
  readonly listen: Address
  /** Name of the setting with the address, for errors. */
  readonly setting: string
  readonly metrics: MetricSource
  /** Whether executions can reach this agent, for `/readyz`. */
  readonly readiness: () => Health
  readonly log: Logger
  /** Only tests set this value. */
  readonly connectionMs?: number
}

export interface Http extends AsyncDisposable {
  /** For example `http://127.0.0.1:9100`. */
  readonly address: string
}

/** Starts the HTTP server. It does not keep the process running. @throws SetUpError */
export async function openHttp({
  listen,
  setting,
  metrics: source,
  readiness,
  log,
  connectionMs,
}: HttpOptions): Promise<Http> {
  const loop = new LoopMonitor()
  const metrics = new Metrics({ source, loopDelayMs: () => loop.longestMs() })
  const routes: Routes = new Map<string, Route>([
    ['/healthz', () => healthAnswer(liveness(loop.blockedMs()))],
    ['/readyz', () => healthAnswer(readiness())],
    ['/metrics', async (accept) => ({ code: 200, ...(await metrics.scrape(accept)) })],
  ])
  const server = createBoundedServer(routes, log, connectionMs ?? CONNECTION_MS)
  try {
    const address = await listenOn(server, listen, setting)
    announce(log, address, listen)
    return { address, [Symbol.asyncDispose]: () => close(server, loop) }
  } catch (error) {
    loop[Symbol.dispose]()
    throw error
  }
}

interface Answer {
  readonly code: number
  readonly contentType: string
  readonly text: string
}

type Route = (accept: string | undefined) => Answer | Promise<Answer>
type Routes = ReadonlyMap<string, Route>

function healthAnswer({ ok, line }: Health): Answer {
  return { code: ok ? 200 : 503, contentType: TEXT, text: `${line}\n` }
}

function createBoundedServer(routes: Routes, log: Logger, connectionMs: number): Server {
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    void answerTo(request, routes, log).then((answer) => respond(response, answer))
  })
  const open = new Set<Socket>()
  server.on('connection', (socket) => {
    makeRoom(open)
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    endAfter(socket, connectionMs)
  })
  // An error occurs, for example, if no descriptor is left. The probe fails, but the program must continue.
  const note = (error: Error) =>
    log.warn({ error: error.message }, 'the HTTP server cannot accept a connection')
  server.once('listening', () => server.on('error', note))
  return server.unref()
}

/** Closes the oldest connection when all are in use: otherwise a client could make a probe fail. */
function makeRoom(open: Set<Socket>): void {
  const [oldest] = open
  if (open.size < MAX_CONNECTIONS || oldest === undefined) return
  open.delete(oldest)
  oldest.destroy()
}

function endAfter(socket: Socket, ms: number): void {
  socket.unref()
  const end = setTimeout(() => socket.destroy(), ms).unref()
  socket.once('close', () => clearTimeout(end))
}

async function answerTo(
  { method, url, headers }: IncomingMessage,
  routes: Routes,
  log: Logger,
): Promise<Answer> {
  const [path = ''] = (url ?? '').split('?')
  const route = routes.get(path)
  if (route === undefined) {
    return {
      code: 404,
      contentType: TEXT,
      text: `not found; this address serves ${[...routes.keys()].join(', ')}\n`,
    }
  }
  if (method !== 'GET' && method !== 'HEAD')
    return { code: 405, contentType: TEXT, text: 'only GET and HEAD are allowed\n' }
  try {
    return await route(headers.accept)
  } catch (error) {
    log.error({ err: error, path }, 'the HTTP server cannot answer a request')
    return { code: 500, contentType: TEXT, text: 'internal error; see the log\n' }
  }
}

/** Answers and closes the connection, because the next probe comes only some seconds later. */
function respond(response: ServerResponse, { code, contentType, text }: Answer): void {
  response.writeHead(code, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
    ...(code === 405 && { allow: 'GET, HEAD' }),
  })
  response.end(text)
}

/** Returns the address with the real port. */
async function listenOn(server: Server, listen: Address, setting: string): Promise<string> {
  server.listen(listen)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new SetUpError(
      `${setting}: cannot listen on ${formatAddress(listen)}: ${reasonOf(error)}. Stop the program that uses this address, or choose another address`,
      { cause: error },
    )
  }
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : listen.port
  return `http://${formatAddress({ ...listen, port })}`
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

function announce(log: Logger, address: string, { host }: Address): void {
  log.info({ address }, 'http serves /healthz, /readyz and /metrics')
  if (isLoopback(host)) return
  log.warn(
    { address },
    'http asks for no password, so everyone who can reach this address can read states and metrics',
  )
}

async function close(server: Server, loop: LoopMonitor): Promise<void> {
  loop[Symbol.dispose]()
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}
