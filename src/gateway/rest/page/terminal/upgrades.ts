import { createServer, type Server, type IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Duplex } from 'node:stream'

/**
 * Only upgrades to a WebSocket, where there is one, are upgrades here. Node takes every request with `Upgrade` for one as
 * soon as anybody serves some, and reads no body of it; but `h2c`, which curl and Java offer with ordinary requests, is
 * an offer that may be passed over. @returns what gets the upgrades
 */
export function webSocketUpgrades(server: Server, isServed: (url: string) => boolean): Server {
  // It never listens: only its events are used.
  const upgrades = createServer()
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const isOne = request.headers.upgrade?.toLowerCase() === 'websocket' && isServed(request.url ?? '')
    if (!isOne) passOver(server, request, socket, head)
    // Nobody takes it while the gateway closes.
    else if (!upgrades.emit('upgrade', request, socket, head)) socket.destroy()
  })
  return upgrades
}

/** Lets the server read the request once more, without the offer. */
function passOver(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}`]
  for (const [name, value] of headersOf(request)) {
    const kept = name.toLowerCase() === 'connection' ? withoutOffer(value) : value
    if (!/^(upgrade|http2-settings)$/i.test(name)) lines.push(`${name}: ${kept}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket)
}

/** As they came. */
function* headersOf({
  rawHeaders,
}: IncomingMessage): Generator<readonly [name: string, value: string], void> {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) yield [rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']
}

function withoutOffer(connection: string): string {
  const words = connection.split(',').map((word) => word.trim())
  return words.filter((word) => !/^(upgrade|http2-settings)?$/i.test(word)).join(', ') || 'keep-alive'
}
