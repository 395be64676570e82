import { once } from 'node:events'
import { expect, it } from 'vitest'
import { SocketCall } from '../../../../src/gateway/rest/page/terminal/socket-call.ts'
import { encodeAgentMessage } from '../../../../src/wire/messages/from-agent.ts'
import type { SessionId } from '../../../../src/wire/messages/session-id.ts'
import type { Packet } from '../../../../src/wire/packet.ts'
import { waitFor } from '../../../support/wait.ts'
import { socketPair } from './socket-pair.ts'

/** Sent by an agent, passed on to a tab. */
function output(bytes: number): Packet {
  return encodeAgentMessage({ kind: 'stdout', sid: 'sid' as SessionId, data: Buffer.alloc(bytes, 'x') })
}

async function callWithTab(lastOutputMs?: number) {
  const { own, peer, close } = await socketPair(true)
  const asked = { user: {}, token: {}, callerAddress: '127.0.0.1', params: { name: 'bash' } }
  const call = new SocketCall(own, asked as ConstructorParameters<typeof SocketCall>[1], lastOutputMs)
  return { call, peer, [Symbol.asyncDispose]: close }
}

it('leaves a tab that answers pings and never draws the last output', async () => {
  await using site = await callWithTab(20)
  site.call.send(output(300_000))
  site.call.send(output(10))
  site.call.end()
  await site.call.over
  expect(site.call.isOver).toBe(true)
  await site.call.room(0)
})

it('waits for a tab that draws it, and ends in order then', async () => {
  await using site = await callWithTab()
  const ended = once(site.peer, 'close')
  let shown = 0
  site.peer.on('message', (data: Buffer) => (shown += data.length))
  site.call.send(output(300_000))
  site.call.send(output(10))
  site.call.end()
  await waitFor(() => shown === 300_000)
  site.peer.send(JSON.stringify({ type: 'taken', bytes: 300_000 }))
  expect((await ended)[0]).toBe(1000)
  expect(shown).toBe(300_010)
  await site.call.over
})

it('waits no minute for a tab that has gone: the gateway could not stop meanwhile', async () => {
  await using site = await callWithTab()
  site.peer.terminate()
  await site.call.over
  const before = timers()
  site.call.end()
  expect(timers()).toBe(before)
})

/** Those that keep this process. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
}
