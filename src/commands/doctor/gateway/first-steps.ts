import { patience } from '../../../basics/abort.ts'
import { type Finding, ok, skipped, warning, broken } from '../../examination/examination.ts'
import { firstStep, openSocket, openWay, type ResolvedRoute, type Route, type Way } from './way.ts'
import type { Http2Answer } from './http2.ts'
import { Channel } from '../../../dial/channel.ts'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { TunnelError } from '../../../basics/net/proxy.ts'

const CONNECT_MS = 5000

const LOOKUP_ADVICE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name does not exist: check its spelling in the key, and the DNS of this network',
  EAI_AGAIN: 'no name server answers: check /etc/resolv.conf and the network',
}

/** Looks up the gateway, or the proxy, which looks up the gateway itself. */
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
  /** Undefined when there was a connection. */
  readonly error: string | undefined
  readonly ms: number
}

/** Tries each address: one that does not answer fails every attempt that uses it. */
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
    'The agent uses the other addresses, and loses time with those that do not answer',
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
    return 'Nothing listens there: check that the gateway runs, and that this is its gRPC port (8010 by default), not that of its page'
  return 'A firewall on the way may block this port'
}

/** Whether the proxy of the environment, if there is one for this gateway, connects to it. */
export async function checkProxy(way: Way, signal: AbortSignal): Promise<Finding<Way>> {
  if (way.proxy === undefined) return ok(unused(way), way)
  const { address } = way.proxy
  const wait = patience(CONNECT_MS, signal)
  try {
    const socket = await openWay(way, wait)
    socket.destroy()
    return ok(`${address} carries connections to ${way.identity.address}`, way)
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
  if (!hasOtherProxy) return 'none in the environment (HTTPS_PROXY)'
  return identity.tls === undefined
    ? 'that of HTTPS_PROXY is not used without TLS'
    : 'that of HTTPS_PROXY is not used for this gateway (NO_PROXY, or the loopback)'
}

const HEALTH_MS = 4000

/** A HealthCheck on the agent's own channel. It needs no credential, and opens no stream. */
export async function checkHealth({ identity, proxy }: Way): Promise<Finding> {
  using channel = new Channel(identity, proxy)
  const first = await timed(channel)
  if (!first.isAnswered) return unanswered(first.ms, channel.stage)
  // The first answer included the time to connect.
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
  // A timer may be early by a fraction of a millisecond.
  const found = ms >= HEALTH_MS - 1 ? `no answer within ${HEALTH_MS / 1000} s` : 'the connection failed'
  return broken(`${found} (${stage})`, 'The agent would fail in the same way: see the log of the gateway')
}

/** Enough to make new certificates and tokens invalid. */
const FAR_OFF_MS = 30_000

/** Compares this machine's clock with the gateway's `date` header, which has whole seconds. */
export function checkClock({ date, receivedAt }: Pick<Http2Answer, 'date' | 'receivedAt'>): Finding {
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return skipped('the gateway sends no time (date header)')
  const offMs = receivedAt - (theirs + 500)
  const seconds = Math.round(Math.abs(offMs) / 1000)
  if (Math.abs(offMs) <= FAR_OFF_MS) return ok(`${seconds} s from the gateway's`)
  return warning(
    `${seconds} s ${offMs > 0 ? 'ahead of' : 'behind'} the gateway's`,
    'Certificates and tokens depend on it: set up time synchronisation on the machine whose clock is wrong',
  )
}
