import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { hostOf, portOf } from '../../../dial/address.ts'
import type { Identity } from '../../../agent/connection/identity.ts'
import { type Proxy, tunnel } from '../../../basics/net/proxy.ts'
import type { AgentConfiguration } from '../../../config.ts'
import { proxyFor } from '../../start/settings.ts'

/** The address to which the agent would connect, and the proxy. */
export interface Route {
  readonly identity: Identity
  readonly proxy: Proxy | undefined
  /** Whether the environment has a proxy that is not for this gateway. */
  readonly hasOtherProxy: boolean
  /** The authorities of `tls.ca`, as PEM. */
  readonly ownAuthorities: readonly string[] | undefined
}

/** The agent uses a proxy only with TLS. Otherwise the proxy would see the key. */
export function routeOf(identity: Identity, settings: AgentConfiguration): Route {
  const proxy = identity.tls === undefined ? undefined : proxyFor(settings)(identity.address)
  return {
    identity,
    proxy,
    hasOtherProxy: proxy === undefined && settings.proxy !== undefined,
    ownAuthorities: settings.tls.authorities,
  }
}

/** A route with the addresses of its first hop: the proxy's, or the gateway's. */
export interface ResolvedRoute extends Route {
  readonly addresses: readonly string[]
}

/** A route with the address that has answered. */
export interface Way extends Route {
  readonly address: string
}

/** The first hop: `host`, without brackets, and `port`. */
export function firstStep({ identity, proxy }: Route): { readonly host: string; readonly port: number } {
  const address = proxy?.address ?? identity.address
  return { host: hostOf(address), port: portOf(address) }
}

/** A TCP connection, which the signal destroys at any time. Rejects with the system's error. */
export async function openSocket(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, signal })
  // The connection may fail after the last listener is gone.
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** A connection to the gateway, through the proxy if there is one. @throws TunnelError */
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
