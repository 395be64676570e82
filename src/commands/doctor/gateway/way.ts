import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { hostOf, portOf } from '../../../dial/address.ts'
import type { Identity } from '../../../agent/connection/identity.ts'
import { tunnel, type Proxy } from '../../../dial/tunnel.ts'
import type { AgentConfiguration } from '../../../config.ts'
import { proxyFor } from '../../start/settings.ts'

/** Where the agent would go, and by which proxy. */
export interface Route {
  readonly identity: Identity
  readonly proxy: Proxy | undefined
  /** There is one in the environment, and it is not for this gateway. */
  readonly hasOtherProxy: boolean
  /** Of `tls.ca`, as PEM. */
  readonly ownAuthorities: readonly string[] | undefined
}

/** The agent takes a proxy for TLS only: it would see a key in the clear. */
export function routeOf(identity: Identity, settings: AgentConfiguration): Route {
  const proxy = identity.tls === undefined ? undefined : proxyFor(settings)(identity.address)
  return {
    identity,
    proxy,
    hasOtherProxy: proxy === undefined && settings.proxy !== undefined,
    ownAuthorities: settings.tls.authorities,
  }
}

/** With the addresses of its first step: the proxy's, or the gateway's. */
export interface ResolvedRoute extends Route {
  readonly addresses: readonly string[]
}

/** With the one of them that answered. */
export interface Way extends Route {
  readonly address: string
}

/** Of the first step: `host`, without brackets, and `port`. */
export function firstStep({ identity, proxy }: Route): { readonly host: string; readonly port: number } {
  const address = proxy?.address ?? identity.address
  return { host: hostOf(address), port: portOf(address) }
}

/** A TCP connection; the signal destroys it, at any time. Rejects with the system's error. */
export async function openSocket(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, signal })
  // It may end when nobody listens any more.
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** A connection that leads to the gateway, by the proxy where there is one. @throws TunnelError */
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

/** A wait of a check that ends before the check's own deadline, so that its text can say what was waited for. */
export class Patience implements Disposable {
  readonly signal: AbortSignal
  readonly #end: () => void

  constructor(ms: number, outer: AbortSignal) {
    const life = new AbortController()
    const end = () => life.abort()
    const timer = setTimeout(end, ms)
    outer.addEventListener('abort', end)
    this.signal = life.signal
    this.#end = () => {
      clearTimeout(timer)
      outer.removeEventListener('abort', end)
    }
  }

  get isOver(): boolean {
    return this.signal.aborted
  }

  [Symbol.dispose](): void {
    this.#end()
  }
}
