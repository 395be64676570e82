import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect as connectHttp2, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import { connect, type Socket, isIP } from 'node:net'
import type { Identity } from '../../agent/connection/identity.ts'
import { tunnel, type Proxy, TunnelError } from '../../basics/net/proxy.ts'
import { patience } from '../../basics/abort.ts'
import type { AgentConfiguration } from '../../config.ts'
import { hostOf, portOf } from '../../dial/address.ts'
import { Channel } from '../../dial/channel.ts'
import { explainTls, secure, secureContext } from '../../dial/tls.ts'
import { type Finding, ok, skipped, warning, broken } from '../examination.ts'
import { proxyFor } from '../start/settings.ts'

export interface Route {
  readonly identity: Identity
  readonly proxy: Proxy | undefined
  /** The environment names a proxy, but the agent does not use the proxy for this gateway. */
  readonly hasOtherProxy: boolean
  /** The certificates of `tls.ca` as PEM. */
  readonly ownAuthorities: readonly string[] | undefined
}

/** The agent uses a proxy only with TLS. Without TLS, the proxy could read the key. */
export function routeOf(identity: Identity, settings: AgentConfiguration): Route {
  const proxy = identity.tls === undefined ? undefined : proxyFor(settings)(identity.address)
  return {
    identity,
    proxy,
    hasOtherProxy: proxy === undefined && settings.proxy !== undefined,
    ownAuthorities: settings.tls.authorities,
  }
}

/** A route with the addresses of the first hop. The first hop is the proxy or the gateway. */
export interface ResolvedRoute extends Route {
  readonly addresses: readonly string[]
}

/** A route with an address of the first hop that accepted a connection. */
export interface Way extends Route {
  readonly address: string
}

/** @returns the first hop; `host` has no brackets */
function firstStep({ identity, proxy }: Route): { readonly host: string; readonly port: number } {
  const address = proxy?.address ?? identity.address
  return { host: hostOf(address), port: portOf(address) }
}

/** Opens a connection. The signal destroys the connection at any time. Rejects with the system's error. */
async function openSocket(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, signal })
  // The connection may fail after the last listener was removed.
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/**
 * Connects to the gateway, through the route's proxy if there is one.
 * @throws TunnelError
 */
export async function openWay(way: Way, signal: AbortSignal): Promise<Socket> {
  const socket = await openSocket(way.address, firstStep(way).port, signal)
  if (way.proxy === undefined) return socket
  try {
    await tunnel(socket, way.identity.address, way.proxy)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

const CONNECT_MS = 5000

const LOOKUP_ADVICE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name does not exist: check its spelling in the key, and the DNS of this network',
  EAI_AGAIN: 'no name server answers: check /etc/resolv.conf and the network',
}

/** Looks up the first hop. With a proxy, the proxy itself looks up the gateway. */
export async function checkName(route: Route): Promise<Finding<ResolvedRoute>> {
  const { host } = firstStep(route)
  if (isIP(host) !== 0) return ok(`${host} is an address`, { ...route, addresses: [host] })
  const whose = route.proxy === undefined ? '' : ' (the proxy)'
  try {
    const addresses = (await lookup(host, { all: true })).map(({ address }) => address)
    return ok(`${host}${whose} is ${addresses.join(', ')}`, { ...route, addresses })
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    return broken(`${host}${whose} cannot be looked up (${code})`, LOOKUP_ADVICE[code] ?? 'Check the network')
  }
}

interface Attempt {
  readonly address: string
  readonly error: string | undefined
  readonly ms: number
}

/** Tries all addresses, because the agent may use any of them. */
export async function checkTcp(route: ResolvedRoute, signal: AbortSignal): Promise<Finding<Way>> {
  const { port } = firstStep(route)
  const attempts = await Promise.all(route.addresses.map((address) => attempt(address, port, signal)))
  const found = `port ${port}: ${attempts.map(attemptText).join('; ')}`
  const open = attempts.find(({ error }) => error === undefined)
  if (open === undefined) return broken(found, advice(attempts))
  const way = { ...route, address: open.address }
  if (attempts.every(({ error }) => error === undefined)) return ok(found, way)
  return warning(
    found,
    'The agent uses the other addresses, but loses time with each address that does not answer. Remove such addresses from the DNS',
    way,
  )
}

async function attempt(address: string, port: number, signal: AbortSignal): Promise<Attempt> {
  const from = performance.now()
  const result = (error?: string) => ({ address, error, ms: Math.round(performance.now() - from) })
  const wait = patience(CONNECT_MS, signal)
  try {
    const socket = await openSocket(address, port, wait)
    socket.destroy()
    return result()
  } catch (error) {
    const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException
    return result(wait.aborted ? `no answer within ${CONNECT_MS / 1000} s` : code)
  }
}

function attemptText({ address, error, ms }: Attempt): string {
  return `${address} ${error ?? `in ${ms} ms`}`
}

function advice(attempts: readonly Attempt[]): string {
  if (attempts.every(({ error }) => error === 'ECONNREFUSED'))
    return "Nothing listens on this port: check that the gateway runs, and that this is the gateway's gRPC port (default: 8010), not its HTTP port"
  return 'Check whether a firewall between the agent and the gateway blocks this port'
}

/** Checks that the proxy can connect to the gateway. */
export async function checkProxy(way: Way, signal: AbortSignal): Promise<Finding<Way>> {
  if (way.proxy === undefined) return ok(unused(way), way)
  const { address } = way.proxy
  const wait = patience(CONNECT_MS, signal)
  try {
    const socket = await openWay(way, wait)
    socket.destroy()
    return ok(`${address} opens connections to ${way.identity.address}`, way)
  } catch (error) {
    const waited = wait.aborted ? `${address} gave no answer within ${CONNECT_MS / 1000} s` : undefined
    if (!(error instanceof TunnelError) && waited === undefined) throw error
    return broken(
      waited ?? (error as Error).message,
      'Check HTTPS_PROXY, or name the gateway in NO_PROXY if it can be reached without the proxy',
    )
  }
}

function unused({ identity, hasOtherProxy }: Way): string {
  if (!hasOtherProxy) return 'the environment names no proxy (HTTPS_PROXY)'
  return identity.tls === undefined
    ? 'the proxy of HTTPS_PROXY is not used without TLS'
    : 'the proxy of HTTPS_PROXY is not used for this gateway (NO_PROXY, or the loopback)'
}

const HEALTH_MS = 4000

/** Calls the gateway on a channel like the agent's. The check needs no credential and opens no stream. */
export async function checkHealth({ identity, proxy }: Way): Promise<Finding> {
  using channel = new Channel(identity, proxy)
  const first = await timed(channel)
  if (!first.isAnswered) return unanswered(first.ms, channel.stage)
  // The first time includes opening the connection. The second time does not.
  const second = await timed(channel)
  if (!second.isAnswered) return unanswered(second.ms, channel.stage)
  return ok(`answered in ${second.ms.toFixed(1)} ms, in ${first.ms.toFixed(1)} ms with a new connection`)
}

async function timed(channel: Channel): Promise<{ readonly isAnswered: boolean; readonly ms: number }> {
  const from = performance.now()
  const isAnswered = (await channel.healthCheck(HEALTH_MS)) === 'answered'
  return { isAnswered, ms: performance.now() - from }
}

function unanswered(ms: number, stage: string): Finding {
  // A timer may fire a fraction of a millisecond too early.
  const found = ms >= HEALTH_MS - 1 ? `no answer within ${HEALTH_MS / 1000} s` : 'the connection failed'
  return broken(`${found} (${stage})`, 'The agent would fail in the same way: see the log of the gateway')
}

/** With a larger difference, new certificates and tokens are invalid. */
const FAR_OFF_MS = 30_000

/** Compares the clocks. The gateway's `date` header has whole seconds. */
export function checkClock({ date, receivedAt }: Pick<Http2Answer, 'date' | 'receivedAt'>): Finding {
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return skipped('the gateway sends no date header')
  const offMs = receivedAt - (theirs + 500)
  const seconds = Math.round(Math.abs(offMs) / 1000)
  if (Math.abs(offMs) <= FAR_OFF_MS) return ok(`${seconds} s difference from the gateway's clock`)
  return warning(
    `${seconds} s ${offMs > 0 ? 'ahead of' : 'behind'} the gateway's clock`,
    'Certificates and tokens depend on the clock: set up time synchronisation on the machine whose clock is wrong',
  )
}

const ANSWER_MS = 5000

/** `receivedAt` is in milliseconds, by this machine's clock. */
export interface Http2Answer {
  readonly way: Way
  readonly date: string | undefined
  readonly receivedAt: number
}

/**
 * Checks that a gRPC server answers: grpc-js accepts any server with HTTP/2. The HealthCheck needs no
 * credential.
 */
export async function checkHttp2(way: Way, signal: AbortSignal): Promise<Finding<Http2Answer>> {
  const wait = patience(ANSWER_MS, signal)
  let socket: Socket | undefined
  try {
    socket = await openWay(way, wait)
    return judgeAnswer(await ask(await secured(way, socket), way), way)
  } catch (error) {
    return failure(error as NodeJS.ErrnoException, way, wait.aborted)
  } finally {
    socket?.destroy()
  }
}

async function secured({ identity }: Way, socket: Socket): Promise<Socket> {
  if (identity.tls === undefined) return socket
  return secure(socket, identity.address, identity.tls, secureContext(identity.tls))
}

async function ask(socket: Socket, { identity }: Way): Promise<IncomingHttpHeaders> {
  const scheme = identity.tls === undefined ? 'http' : 'https'
  const session = connectHttp2(`${scheme}://${identity.address}`, { createConnection: () => socket })
  try {
    return await firstHeaders(session, socket)
  } finally {
    session.destroy()
  }
}

function firstHeaders(session: ClientHttp2Session, socket: Socket): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    const request = session.request({
      ':method': 'POST',
      ':path': '/protobuf.Transport/HealthCheck',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    request.once('response', resolve)
    // The socket emits its error first. This error has the most detail.
    for (const source of [socket, session, request]) source.on('error', reject)
    session.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
    // The body is an empty gRPC message: not compressed, length 0.
    request.end(Buffer.alloc(5))
  })
}

function judgeAnswer(headers: IncomingHttpHeaders, way: Way): Finding<Http2Answer> {
  const type = headers['content-type'] ?? 'none'
  const status = Number(headers[':status'])
  if (status === 200 && type.startsWith('application/grpc'))
    return ok(`${way.identity.address} answers as a gRPC server`, {
      way,
      date: headers.date,
      receivedAt: Date.now(),
    })
  return broken(
    `${way.identity.address} answers HTTP ${status} with content type ${type}: this server is not a gRPC server`,
    "Check that this is the gateway's gRPC port, and that a proxy between the agent and the gateway forwards gRPC",
  )
}

function failure(error: NodeJS.ErrnoException, { identity }: Way, waited: boolean): Finding<never> {
  const { address, tls } = identity
  if (waited)
    return broken(
      `${address} accepts the connection, but does not answer within ${ANSWER_MS / 1000} s`,
      "Check that this is the gateway's gRPC port. For a gateway with TLS, the key begins with grpcs://",
    )
  const meaning = tls === undefined ? undefined : explainTls(error, address, tls)
  return broken(
    `${address} does not answer in HTTP/2: ${error.code ?? error.message}`,
    meaning ??
      "Check that this is the gateway's gRPC port. For a gateway with TLS, the key begins with grpcs://",
  )
}
