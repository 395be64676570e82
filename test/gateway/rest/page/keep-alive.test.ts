import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { keepAlive } from '../../../../src/gateway/rest/page/socket-call.ts'
import { socketPair } from './socket-pair.ts'

describe('the keep-alive of sockets', () => {
  it('ends a socket whose peer shows no sign of life from one ping to the next', async () => {
    const { own, close } = await socketPair(false)
    keepAlive(own, 20)
    await once(own, 'close')
    await close()
  })

  it('keeps one whose peer answers', async () => {
    const { own, peer, close } = await socketPair(true)
    keepAlive(own, 20)
    for (let pings = 0; pings < 10; pings += 1) await once(peer, 'ping')
    expect(own.readyState).toBe(WebSocket.OPEN)
    await close()
  })

  it('takes what was written for a sign of life: a slow peer answers behind it', async () => {
    const { own, peer, close } = await socketPair(false)
    const { seen } = keepAlive(own, 20)
    peer.on('ping', seen)
    for (let pings = 0; pings < 10; pings += 1) await once(peer, 'ping')
    expect(own.readyState).toBe(WebSocket.OPEN)
    await close()
  })
})
