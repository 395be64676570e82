import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { inNetwork, networkOf } from '../../basics/net/address.ts'
import { refused } from '../refusals/request-refused.ts'
import type { RestServices } from './services.ts'

type Naming = Pick<RestServices, 'settings' | 'webUrl'> & {
  readonly server: { readonly tls: Pick<NonNullable<RestServices['server']['tls']>, 'isFor'> | undefined }
}

/** The parts of a request that name its gateway. */
interface Arriving {
  readonly headers: Pick<IncomingHttpHeaders, 'host' | 'origin'>
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** Names that no public name server answers, so that no attacker can point one at this machine. */
const PRIVATE = /^[^.]+$|\.(localhost|svc|cluster\.local|internal|local|home\.arpa)$/

/**
 * Refuses requests by a foreign name. A page of evil.example may let its name point to this gateway (DNS rebinding):
 * then a browser takes the gateway for a part of that page. The browser still sends the name.
 *
 * Accepted are IP addresses, names of private networks, and the names that the gateway has by its settings. A trusted
 * proxy decides for itself which names it serves.
 */
export class KnownHosts {
  readonly #services: Naming
  readonly #proxies: ReturnType<typeof networkOf>[]

  constructor(services: Naming) {
    this.#services = services
    this.#proxies = services.settings.value.listen.trustedProxies.map(networkOf)
  }

  /** A missing header is not foreign: HTTP/1.0 has none. */
  isKnown({ headers, socket }: Arriving): boolean {
    const { host } = headers
    return host === undefined || this.#isOwn(nameIn(host)) || this.#isProxy(socket.remoteAddress ?? '')
  }

  /** @throws RequestRefused 403 for a foreign `Host`, or for a page of another address */
  check(request: Arriving): void {
    if (!this.isKnown(request)) throw refused('foreign-page/host')
    const { origin, host } = request.headers
    if (origin !== undefined && !isOwnOrigin(origin, host, this.#services.webUrl()))
      throw refused('foreign-page/origin')
  }

  #isOwn(name: string): boolean {
    if (isIP(name) !== 0 || PRIVATE.test(name)) return true
    const { settings, webUrl, server } = this.#services
    const { http, hosts } = settings.value.listen
    const own = [hostname(), http.host, ...publicName(webUrl()), ...hosts]
    return own.some((one) => one.toLowerCase() === name) || server.tls?.isFor(name) === true
  }

  #isProxy(peer: string): boolean {
    return this.#proxies.some((network) => network !== undefined && inNetwork(peer, network))
  }
}

/** Empty while the gateway does not know its own port yet. */
function publicName(webUrl: string): string[] {
  return URL.canParse(webUrl) ? [new URL(webUrl).hostname] : []
}

/** The name in a `Host` header, in lower case and without port, brackets and the dot of the root. */
function nameIn(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
}

/** Tells whether an `Origin` header names the address at which the request has come, or the public one. */
export function isOwnOrigin(origin: string, host: string | undefined, webUrl: string): boolean {
  if (!URL.canParse(origin)) return false
  const asked = new URL(origin)
  return (
    asked.host === host?.toLowerCase() || (URL.canParse(webUrl) && asked.origin === new URL(webUrl).origin)
  )
}
