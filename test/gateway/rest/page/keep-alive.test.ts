import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { keepAlive } from '../../../../src/gateway/rest/page/terminal/keep-alive.ts'

type Own = Parameters<typeof keepAlive>[0]

/** A socket of the gateway and its peer. */
async function pair(autoPong: boolean): Promise<{ own: Own; peer: WebSocket; close: () => Promise<void> }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const peer = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { autoPong })
  const [own] = (await once(server, 'connection')) as [Own]
  const close = async () => {
    peer.terminate()
    own.terminate()
    await new Promise((resolve) => server.close(resolve))
  }
  return { own, peer, close }
}

it('ends a socket whose peer shows no sign of life from one ping to the next', async () => {
  const { own, close } = await pair(false)
  keepAlive(own, 20)
  await once(own, 'close')
  await close()
})

it('keeps one whose peer answers', async () => {
  const { own, peer, close } = await pair(true)
  keepAlive(own, 20)
  for (let pings = 0; pings < 10; pings += 1) await once(peer, 'ping')
  expect(own.readyState).toBe(WebSocket.OPEN)
  await close()
})

it('takes what was written for a sign of life: a slow peer answers behind it', async () => {
  const { own, peer, close } = await pair(false)
  const { seen } = keepAlive(own, 20)
  peer.on('ping', seen)
  for (let pings = 0; pings < 10; pings += 1) await once(peer, 'ping')
  expect(own.readyState).toBe(WebSocket.OPEN)
  await close()
})
