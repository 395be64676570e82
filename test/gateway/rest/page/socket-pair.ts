import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { WebSocket as OwnSocket } from '@fastify/websocket'
import { WebSocket, WebSocketServer } from 'ws'

/** A socket of the gateway and its peer. */
export async function socketPair(
  autoPong: boolean,
): Promise<{ own: OwnSocket; peer: WebSocket; close: () => Promise<void> }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const peer = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { autoPong })
  const [[own]] = (await Promise.all([once(server, 'connection'), once(peer, 'open')])) as [
    [OwnSocket],
    unknown,
  ]
  const close = async () => {
    peer.terminate()
    own.terminate()
    await new Promise((resolve) => server.close(resolve))
  }
  return { own, peer, close }
}
