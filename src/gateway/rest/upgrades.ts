import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { KnownHosts } from './known-hosts.ts'
import type { RequestOrder } from './request-order.ts'

export interface Upgrade {
  /** The word in the `Upgrade` header, in lower case. */
  readonly protocol: string
  /** Called before the request is routed. */
  readonly isServed: (url: string) => boolean
  readonly take: (request: IncomingMessage, socket: Socket, head: Buffer) => void
}

/**
 * With a listener for upgrades, Node treats every request with `Upgrade` as an upgrade and does not read its
 * body. But curl and Java offer `h2c` with ordinary requests, which are served as such here. If earlier
 * requests of the connection are not answered, the connection ends after their answers instead: two protocols
 * would write to it.
 */
export function serveUpgrades(
  server: Server,
  order: RequestOrder,
  hosts: Pick<KnownHosts, 'isKnown'>,
  upgrades: readonly Upgrade[],
): void {
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (order.endHandedOver(socket)) return
    const wanted = request.headers.upgrade?.toLowerCase()
    const upgrade = upgrades.find(
      ({ protocol, isServed }) =>
        protocol === wanted &&
        mayBeUpgraded(request) &&
        // As an ordinary request, it is refused with the reason.
        hosts.isKnown(request) &&
        isServed(request.url ?? ''),
    )
    if (upgrade === undefined) passOver(server, request, socket, head)
    else upgrade.take(request, socket, head)
  })
}

/**
 * Tells whether the request may be upgraded. A body would be read as bytes of the other protocol. In HTTP/1.0
 * the offer has to be ignored.
 */
function mayBeUpgraded({ method, httpVersion, headers }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
  return method === 'GET' && httpVersion === '1.1' && headers.host !== undefined && !hasBody
}

/** Lets the server read the request again, without the offer of an upgrade. */
function passOver(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}`]
  for (const [name, value] of pairHeaders(request)) {
    const kept = name.toLowerCase() === 'connection' ? withoutOffer(value) : value
    if (!/^(upgrade|http2-settings)$/i.test(name)) lines.push(`${name}: ${kept}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket)
}

/** Headers in the order in which they were received. */
function* pairHeaders({
  rawHeaders,
}: IncomingMessage): Generator<readonly [name: string, value: string], void> {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) yield [rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']
}

function withoutOffer(connection: string): string {
  const words = connection.split(',').map((word) => word.trim())
  return words.filter((word) => !/^(upgrade|http2-settings)?$/i.test(word)).join(', ') || 'keep-alive'
}
