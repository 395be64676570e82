import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TIMING } from '../../src/agent/connection/timing.ts'
import { Channel } from '../../src/dial/channel.ts'
import { PacketStream } from '../../src/dial/packet-stream.ts'
import { KEEPALIVE, NO_PAYLOAD, type Packet } from '../../src/wire/packet.ts'
import { transportService } from '../../src/wire/service.ts'
import { waitFor } from '../support/wait.ts'

const GRPC_HEAD_BYTES = 5
const codec = transportService['Connect'] as unknown as {
  readonly requestSerialize: (packet: Packet) => Buffer
  readonly requestDeserialize: (bytes: Buffer) => Packet
}

let server: Http2Server
/** What comes on the stream. */
let bytes: Buffer[]
let call: ServerHttp2Stream | undefined
let channel: Channel

beforeEach(async () => {
  bytes = []
  call = undefined
  server = createServer().on('stream', (stream) => {
    call = stream.on('data', (chunk: Buffer) => bytes.push(chunk)).on('error', () => undefined)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  channel = new Channel({ address, tls: undefined }, undefined)
})

afterEach(async () => {
  channel[Symbol.dispose]()
  await new Promise((resolve) => server.close(resolve))
})

/** The packets that have come whole, without those that keep the line awake. */
function received(): string[] {
  const types: string[] = []
  for (let rest = Buffer.concat(bytes); rest.length >= GRPC_HEAD_BYTES;) {
    const end = GRPC_HEAD_BYTES + rest.readUInt32BE(1)
    if (rest.length < end) break
    types.push(codec.requestDeserialize(rest.subarray(GRPC_HEAD_BYTES, end)).type)
    rest = rest.subarray(end)
  }
  return types.filter((type) => type !== KEEPALIVE.type)
}

function typesFrom(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `packet-${first + n}`)
}

async function send(stream: PacketStream, types: readonly string[]): Promise<void> {
  for (const type of types) await stream.send({ type, spec: {}, payload: NO_PAYLOAD })
}

describe('a packet stream', () => {
  it('sends each packet in order, those before the connection too', async () => {
    const stream = new PacketStream(channel, { origin: 'agent' }, TIMING)
    const over = stream.deliver(() => undefined)
    await send(stream, typesFrom(0, 20))
    await waitFor(() => received().length === 20)
    await send(stream, typesFrom(20, 50))
    await waitFor(() => received().length === 70)
    expect(received()).toEqual(typesFrom(0, 70))
    stream.drop('the test is over')
    await over
  })

  it('gives packets to gRPC at once while others are on their way, and tells when each has left', async () => {
    let written = 0
    const { call, write: connectedWrite } = channel.connect({ origin: 'agent' })
    call.on('error', () => undefined)
    const write = (packet: Packet) => connectedWrite(packet, () => (written += 1))
    write(KEEPALIVE)
    await waitFor(() => written === 1)
    for (const type of typesFrom(0, 50)) write({ type, spec: {}, payload: NO_PAYLOAD })
    expect(call.writableLength).toBe(0)
    expect(written).toBe(1)
    await waitFor(() => written === 51)
    await waitFor(() => received().length === 50)
    expect(received()).toEqual(typesFrom(0, 50))
  })

  it('delivers packets in order until the stream ends, and fails with what the receiver throws', async () => {
    const stream = new PacketStream(channel, { origin: 'agent' }, TIMING)
    const taken: string[] = []
    const over = stream.deliver(({ type }) => {
      if (type === 'wrong') throw new Error('a bug')
      taken.push(type)
    })
    await waitFor(() => call !== undefined)
    const messages = [...typesFrom(0, 3), 'wrong', 'late'].map((type) => {
      const packet = codec.requestSerialize({ type, spec: {}, payload: NO_PAYLOAD })
      const head = Buffer.alloc(GRPC_HEAD_BYTES)
      head.writeUInt32BE(packet.length, 1)
      return Buffer.concat([head, packet])
    })
    call?.write(Buffer.concat(messages))
    await expect(over).rejects.toThrow('a bug')
    expect(taken).toEqual(typesFrom(0, 3))
  })
})
