import { once } from 'node:events'
import { expect, it } from 'vitest'
import { SocketCall } from '../../../../src/gateway/rest/page/socket-call.ts'
import { encodeAgentMessage } from '../../../../src/wire/messages/from-agent.ts'
import type { Packet, SessionId } from '../../../../src/wire/packet.ts'
import { waitFor } from '../../../support/wait.ts'
import { socketPair } from './socket-pair.ts'

/** Sent by an agent, passed on to a tab. */
function output(bytes: number): Packet {
  return encodeAgentMessage({ kind: 'stdout', sid: 'sid' as SessionId, data: Buffer.alloc(bytes, 'x') })
}

async function callWithTab() {
  const { own, peer, close } = await socketPair(true)
  const asked = { user: {}, token: {}, callerAddress: '127.0.0.1', params: { name: 'bash' } }
  const call = new SocketCall(own, asked as ConstructorParameters<typeof SocketCall>[1])
  const shown: number[] = []
  peer.on('message', (data: Buffer) => shown.push(data.length))
  return { call, peer, shown, [Symbol.asyncDispose]: close }
}

it('waits for what the tab has drawn, and no more when nothing comes behind it: the rest and the end arrive', async () => {
  await using site = await callWithTab()
  const ended = once(site.peer, 'close')
  for (let count = 0; count < 10; count += 1) site.call.send(output(100_000))
  await waitFor(() => site.shown.length === 3)
  expect(site.call.unsentBytes).toBeGreaterThan(1_000_000)
  site.call.end()
  expect((await ended)[0]).toBe(1000)
  expect(site.shown).toEqual(Array.from({ length: 10 }, () => 100_000))
  await site.call.over
})

it('takes no offence at a tab that says behind the end what it has drawn', async () => {
  await using site = await callWithTab()
  const ended = once(site.peer, 'close')
  site.peer.on('message', (data: Buffer) =>
    site.peer.send(JSON.stringify({ type: 'taken', bytes: data.length })),
  )
  site.call.send(output(300_000))
  site.call.end()
  expect((await ended)[0]).toBe(1000)
  expect(site.shown).toEqual([300_000])
})

it('does nothing for a tab that has gone', async () => {
  await using site = await callWithTab()
  site.call.send(output(300_000))
  site.peer.terminate()
  await site.call.over
  site.call.end()
  expect(site.call.isOver).toBe(true)
})
