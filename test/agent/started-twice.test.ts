import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, it, vi } from 'vitest'
import { Dispatch } from '../../src/agent/dispatch.ts'
import { Slots } from '../../src/agent/running/services.ts'
import type { Packet } from '../../src/wire/packet.ts'
import { openSpec, tcpParams } from '../support/scripted/open.ts'
import { agentForEachTest, running } from '../support/sites/each-agent.ts'
import { found, waitFor } from '../support/wait.ts'

agentForEachTest({ startedBefore: [] })

/** One stream of the agent, without a network. */
class Stream {
  readonly sent: Packet[] = []
  readonly dispatch: Dispatch

  constructor() {
    const send = (packet: Packet) => void this.sent.push(packet)
    const services = { ...running.services, embedded: false }
    this.dispatch = new Dispatch(services, { send, forget: () => undefined }, new Slots(1))
  }

  give(type: string, spec: Record<string, Buffer | string>, payload = ''): void {
    const bytes = Object.fromEntries(Object.entries(spec).map(([key, value]) => [key, Buffer.from(value)]))
    this.dispatch.receive({ type, spec: bytes, payload: Buffer.from(payload) })
  }

  async open(params: Parameters<typeof openSpec>[1] = {}): Promise<void> {
    this.give('AgentSessionOpen', openSpec('s1', params))
    await waitFor(() => this.of('ClientSessionOpenOK').length === 1)
  }

  of(type: string): Packet[] {
    return this.sent.filter((packet) => packet.type === type)
  }

  async close(): Promise<string> {
    const { payload } = await found(() => this.of('ClientSessionClose')[0])
    return String(payload)
  }
}

const sid = { 'gateway.session_id': 's1' }
const REFUSED = /^\s*this agent has already started this session, and starts no session twice/

it('a session that is sent on two streams at the same moment runs on one of them', async () => {
  const streams = [new Stream(), new Stream()]
  for (const stream of streams) await stream.open()
  for (const stream of streams) stream.give('AgentExecWriteStdin', sid, 'echo ran')
  const closes = await Promise.all(streams.map((stream) => stream.close()))
  expect(closes.filter((text) => text === '')).toHaveLength(1)
  expect(closes.filter((text) => REFUSED.test(text))).toHaveLength(1)
  expect(streams.flatMap((stream) => stream.of('ClientWriteStdout'))).toHaveLength(1)
  await Promise.all(streams.map((stream) => stream.dispatch.over()))
  expect(running.entries).toContainEqual(
    expect.objectContaining({ event: 'ended', outcome: 'refused', reason: 'started-before' }),
  )
})

it('a session that has ended is not started again, as a command or as a terminal', async () => {
  const first = new Stream()
  await first.open()
  first.give('AgentExecWriteStdin', sid, 'exit 0')
  expect(await first.close()).toBe('')
  await first.dispatch.over()
  for (const clientVerb of ['exec', 'connect']) {
    const again = new Stream()
    again.give('AgentSessionOpen', openSpec('s1', { clientVerb }))
    expect(await again.close()).toMatch(REFUSED)
    expect(again.of('ClientSessionOpenOK')).toEqual([])
    await again.dispatch.over()
  }
})

it('a session that was opened but not started can be opened again', async () => {
  const first = new Stream()
  await first.open()
  first.give('AgentSessionClose', sid)
  await first.dispatch.over()
  const again = new Stream()
  await again.open()
  again.give('AgentExecWriteStdin', sid, 'echo ran')
  expect(await again.close()).toBe('')
  await again.dispatch.over()
})

it('the journal has the id before the program starts', async () => {
  const { engine } = running.services
  using start = vi.spyOn(engine, 'start')
  const started = running.services.started
  if (started === undefined) throw new Error('this agent remembers nothing')
  const begun = vi.spyOn(started, 'begin')
  const stream = new Stream()
  await stream.open()
  stream.give('AgentExecWriteStdin', sid, 'true')
  expect(await stream.close()).toBe('')
  await stream.dispatch.over()
  const [journaled = Infinity] = begun.mock.invocationCallOrder
  expect(start.mock.invocationCallOrder).toHaveLength(1)
  expect(start.mock.invocationCallOrder[0]).toBeGreaterThan(journaled)
})

it('a port of native clients that is sent on two streams serves clients on one of them', async () => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    sockets.add(socket)
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const params = tcpParams((server.address() as AddressInfo).port)
  const streams = [new Stream(), new Stream()] as const
  for (const stream of streams) await stream.open(params)
  const data = { ...sid, 'client.connection_id': '1' }
  for (const stream of streams) stream.give('AgentTCPConnectionWrite', data, 'x')
  expect(await streams[1].close()).toMatch(REFUSED)
  await waitFor(() => streams[0].of('ClientTCPConnectionWrite').length === 1)
  expect(streams[1].of('ClientTCPConnectionWrite')).toEqual([])
  streams[0].give('AgentSessionClose', sid)
  await Promise.all(streams.map((stream) => stream.dispatch.over()))
  const late = new Stream()
  late.give('AgentSessionOpen', openSpec('s1', params))
  expect(await late.close()).toMatch(REFUSED)
  await late.dispatch.over()
  await new Promise((resolve) => server.close(resolve))
})
