import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { FramedCall, framedStreams } from '../../../src/gateway/rest/framed-call.ts'
import type { RestServices } from '../../../src/gateway/rest/services.ts'
import {
  endIn,
  EXEC_STREAM,
  FRAMED_PACKETS,
  frameHead,
  FrameReader,
} from '../../../src/wire/framed-packets.ts'
import { KEEPALIVE, type Packet } from '../../../src/wire/packet.ts'
import { own } from '../../support/owned.ts'
import { rawAnswers } from '../../support/scripted/raw-http.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

const SILENCE_MS = 300

const REQUEST = {
  url: EXEC_STREAM,
  headers: { 'connection-name': 'bash', verb: 'connect' },
  socket: {},
} as unknown as IncomingMessage

/** A connection and its client, who has received `packets` after the answer to the upgrade. */
class Pair implements AsyncDisposable {
  readonly packets: Packet[] = []
  isEnded = false
  /** The gateway's end of the connection. */
  readonly socket: Socket
  readonly client: Socket
  readonly #close: () => void

  static async connected(allowHalfOpen = false): Promise<Pair> {
    const server = createServer({ allowHalfOpen: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen })
    const [[socket]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [
      [Socket],
      unknown,
    ]
    return own(new Pair(socket, client, () => server.close()))
  }

  private constructor(socket: Socket, client: Socket, close: () => void) {
    this.socket = socket
    this.client = client
    this.#close = close
    const reader = new FrameReader()
    let isHead = true
    client.on('error', () => undefined)
    client.on('end', () => (this.isEnded = true))
    client.on('data', (piece: Buffer) => {
      const frames = isHead ? piece.subarray(piece.indexOf('\r\n\r\n') + 4) : piece
      isHead = false
      this.packets.push(...reader.push(frames))
    })
  }

  send(packet: Packet): void {
    this.client.write(bytesOf(packet))
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy()
    this.socket.destroy()
    this.#close()
    return Promise.resolve()
  }
}

async function opened(silenceMs = 60_000, head = Buffer.alloc(0), allowHalfOpen = false) {
  const pair = await Pair.connected(allowHalfOpen)
  return Object.assign(pair, { call: new FramedCall(REQUEST, pair.socket, head, '127.0.0.1', silenceMs) })
}

const bytesOf = (packet: Packet) => Buffer.concat([frameHead(packet), packet.payload])
const packet = (type: string, size = 0): Packet => ({ type, spec: {}, payload: Buffer.alloc(size, 1) })
/** Its bytes are a value of its spec. */
const specPacket = (size: number): Packet => ({
  type: 'spec',
  spec: { key: Buffer.alloc(size, 1) },
  payload: Buffer.alloc(0),
})
const ends = ({ packets }: Pair) => packets.map(endIn).map((end) => end?.code)

describe('the stream of a client in frames', () => {
  it('is one of exec, whatever its headers say', async () => {
    const { call } = await opened()
    expect([call.header('verb'), call.header('connection-name'), call.header('none')]).toEqual([
      'exec',
      'bash',
      undefined,
    ])
  })

  it('is not read before the gateway asks for packets, and has what came with the request', async () => {
    const pair = await opened(60_000, bytesOf(packet('first')))
    pair.send(KEEPALIVE)
    pair.send(packet('second', 200_000))
    pair.call.send(packet('out', 100_000))
    await waitFor(() => pair.packets.length > 0)
    expect(pair.packets.map(({ type, payload }) => [type, payload.length])).toEqual([['out', 100_000]])
    const packets = pair.call.packets()
    expect((await packets.next()).value).toMatchObject({ type: 'first' })
    expect((await packets.next()).value).toMatchObject({ type: 'second' })
    await waitFor(() => pair.packets.length > 1)
    expect(pair.packets.at(-1)).toEqual(KEEPALIVE)
  })

  it('ends after everything that was sent, and is over when the client has gone', async () => {
    const { call, packets, client } = await opened()
    for (const size of [1, 1024 * 1024, 0]) call.send(packet('out', size))
    call.end()
    call.send(packet('late'))
    await once(client, 'end')
    expect(packets.map(({ payload }) => payload.length)).toEqual([1, 1024 * 1024, 0])
    client.destroy()
    await call.over
    expect(call.isOver).toBe(true)
  })

  it('fails with a code, and drops what the client has not taken', async () => {
    const { call, packets, client } = await opened()
    client.pause()
    for (let n = 0; n < 64; n += 1) call.send(packet('out', 1024 * 1024))
    call.fail('session-killed', 'why')
    call.fail('internal-error', 'not this one')
    expect(call.unsentBytes).toBeLessThan(4 * 1024 * 1024)
    client.resume()
    await once(client, 'end')
    const last = packets.at(-1)
    expect(last && endIn(last)).toEqual({ code: 'session-killed', message: 'why' })
    expect((await call.packets().next()).done).toBe(true)
  })

  it('refuses bytes that are no frames', async () => {
    const pair = await opened()
    pair.client.write(Buffer.alloc(8, 255))
    expect((await pair.call.packets().next()).done).toBe(true)
    await waitFor(() => pair.packets.length > 0)
    expect(endIn(pair.packets[0] ?? KEEPALIVE)?.code).toBe('invalid-request')
  })

  it('is over when the client is silent, or ends its side', async () => {
    const silent = await opened(SILENCE_MS)
    const next = silent.call.packets().next()
    await silent.call.over
    expect((await next).done).toBe(true)
    const leaving = await opened()
    const packets = leaving.call.packets().next()
    leaving.client.end()
    await leaving.call.over
    expect((await packets).done).toBe(true)
  })

  it('is over for the gateway when it has failed, while its client still holds the connection', async () => {
    const pair = await opened(60_000, Buffer.alloc(0), true)
    pair.call.fail('unauthenticated', 'why')
    await pair.call.over
    await once(pair.client, 'end')
    expect([pair.call.isOver, pair.client.closed]).toEqual([true, false])
    pair.client.end()
    await pair.call.closed
  })

  it('answers keepalives while a packet waits to be taken', async () => {
    const pair = await opened()
    pair.send(packet('first'))
    const packets = pair.call.packets()
    expect((await packets.next()).value).toMatchObject({ type: 'first' })
    pair.send(packet('second'))
    pair.send(KEEPALIVE)
    await waitFor(() => pair.packets.length > 0)
    expect(pair.packets).toEqual([KEEPALIVE])
    expect((await packets.next()).value).toMatchObject({ type: 'second' })
  })

  it('does not pile up answers to keepalives for a client that has much to read', async () => {
    const { call, packets, client } = await opened()
    client.pause()
    const taken = call.packets()
    for (let n = 0; n < 32; n += 1) call.send(packet('out', 1024 * 1024))
    for (let n = 0; n < 1000; n += 1) client.write(bytesOf(KEEPALIVE))
    client.write(bytesOf(packet('last')))
    expect((await taken.next()).value).toMatchObject({ type: 'last' })
    call.end()
    client.resume()
    await once(client, 'end')
    expect(packets.filter(({ type }) => type === KEEPALIVE.type)).toEqual([])
  })
})

describe('a stream in frames that its client uses up', () => {
  it('ends after its last output, although something of the client was never read', async () => {
    const pair = await opened()
    pair.send(packet('unread'))
    pair.call.send(packet('out', 1024 * 1024))
    pair.call.end()
    await pair.call.over
    expect(pair.packets.map(({ payload }) => payload.length)).toEqual([1024 * 1024])
  })

  it('counts all bytes that its client does not take, those of specs too', async () => {
    const { call, client } = await opened()
    client.pause()
    for (let n = 0; n < 64; n += 1) call.send(specPacket(1024 * 1024))
    expect(call.unsentBytes).toBeGreaterThan(63 * 1024 * 1024)
    call.fail('session-killed', 'why')
    // What the system has not taken yet is one packet.
    expect(call.unsentBytes).toBeLessThan(2 * 1024 * 1024)
  })

  const large = 'x'.repeat(512 * 1024)
  const small = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`${n}`, Buffer.alloc(0)]))

  it.each<[where: string, packet: Packet]>([
    ['a value', specPacket(512 * 1024)],
    ['the type', { ...specPacket(0), type: large }],
    ['a key', { ...specPacket(0), spec: { [large]: Buffer.alloc(0) } }],
    ['a thousand entries', { ...specPacket(0), spec: small }],
  ])('reads little ahead of a packet that waits to be taken and is large by %s', async (_, packet) => {
    const { call, socket, client } = await opened()
    const packets = call.packets()
    const first = packets.next()
    const frame = bytesOf(packet)
    const count = Math.ceil((4 * 1024 * 1024) / frame.length)
    for (let n = 0; n < count; n += 1) client.write(frame)
    expect((await first).value?.type === packet.type).toBe(true)
    await waitFor(() => socket.isPaused())
    expect(socket.bytesRead).toBeLessThan(2 * 1024 * 1024)
    for (let n = 1; n < count; n += 1) expect((await packets.next()).done).toBe(false)
  })
})

describe('streams in frames of a gateway that closes', () => {
  /** Of a gateway whose `close` begins to close it. */
  function streams() {
    const served: FramedCall[] = []
    const hooks: ((done: () => void) => void)[] = []
    const app = { addHook: (_: string, hook: (done: () => void) => void) => void hooks.push(hook) }
    const clients = { serve: (call: FramedCall) => void served.push(call) }
    const services = { clients, callerAddress: (peer: string) => peer }
    const upgrade = framedStreams(app as unknown as FastifyInstance, services as unknown as RestServices)
    const close = () => hooks.forEach((hook) => hook(() => undefined))
    const take = ({ socket }: Pair) => upgrade.take(REQUEST, socket, Buffer.alloc(0))
    return { served, close, take }
  }

  it('end with a code, and those that come meanwhile are not served', async () => {
    const { served, close, take } = streams()
    const [early, late] = [await Pair.connected(), await Pair.connected()]
    take(early)
    close()
    take(late)
    await Promise.all([early, late].map(({ client }) => once(client, 'close')))
    expect([early, late].map(ends)).toEqual([['gateway-stopped'], ['gateway-stopped']])
    expect(served).toHaveLength(1)
    expect(served[0]?.isOver).toBe(true)
  })

  it('do not wait for clients who keep their side open', async () => {
    const { close, take } = streams()
    const [early, late] = [await Pair.connected(true), await Pair.connected(true)]
    take(early)
    close()
    take(late)
    await Promise.all([early, late].map(({ socket }) => once(socket, 'close')))
    expect([early, late].map(({ client }) => client.writableEnded)).toEqual([false, false])
  })
})

describe('the upgrade to a stream in frames', () => {
  it.each([
    ['another method', 'POST', '1.1', 'Host: x', 404],
    ['a body', 'GET', '1.1', 'Host: x\r\nContent-Length: 2', 404],
    ['HTTP/1.0', 'GET', '1.0', 'Host: x', 404],
    ['no host', 'GET', '1.1', 'X: x', 400],
  ])('is not made for %s', async (_, method, version, header, status) => {
    const gateway = own(await RunningGateway.start())
    const lines = [
      `${method} ${EXEC_STREAM} HTTP/${version}`,
      header,
      `Authorization: Bearer ${userToken}`,
      'Connection: Upgrade, close',
      `Upgrade: ${FRAMED_PACKETS}`,
    ]
    const answers = await rawAnswers(gateway.gateway.http, `${lines.join('\r\n')}\r\n\r\n`, '{}')
    expect(answers[0]?.status).toBe(status)
  })
})
