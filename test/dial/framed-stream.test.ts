import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { FramedStream } from '../../src/dial/framed-stream.ts'
import { EXEC_STREAM, FRAMED_PACKETS } from '../../src/wire/framed-packets.ts'
import type { Packet } from '../../src/wire/packet.ts'
import { own } from '../support/owned.ts'
import { ScriptedFrames } from '../support/scripted/scripted-frames.ts'
import { waitFor } from '../support/wait.ts'

const QUICK_MS = 100

/** A stream whose gateway does what the test says. */
async function opened(): Promise<{ gateway: ScriptedFrames; stream: FramedStream; socket: Socket }> {
  const gateway = own(await ScriptedFrames.start())
  const socket = connect(gateway.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    `GET ${EXEC_STREAM} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${FRAMED_PACKETS}\r\n\r\n`,
  )
  await once(socket, 'readable')
  socket.read()
  return { gateway, stream: new FramedStream(socket, 'gateway:1', QUICK_MS), socket }
}

async function all(stream: FramedStream): Promise<Packet[]> {
  const packets: Packet[] = []
  for await (const packet of stream.receive()) packets.push(packet)
  return packets
}

const keepalives = ({ received }: ScriptedFrames) =>
  received.filter(({ type }) => type === 'GatewayKeepAlive').length

describe('a stream in frames', () => {
  it('has what came before the end with its code, and sends nothing after it', async () => {
    const { gateway, stream } = await opened()
    gateway.send('ClientWriteStdout', { a: 'b' }, 'text')
    gateway.fail('session-killed', 'by somebody')
    expect((await all(stream)).map(({ type, payload }) => [type, String(payload)])).toEqual([
      ['ClientWriteStdout', 'text'],
    ])
    expect(stream.error).toMatchObject({ message: 'by somebody', code: 'session-killed' })
    await expect(stream.send({ type: 'X', spec: {}, payload: Buffer.alloc(0) })).rejects.toEqual(stream.error)
  })

  it('gives all that came before a reset to a caller who reads late, and then says why it ended', async () => {
    const { gateway, stream, socket } = await opened()
    gateway.send('ClientWriteStdout', {}, 'first')
    const packets = stream.receive()
    await packets.next()
    for (let n = 0; n < 10; n += 1) gateway.send('ClientWriteStdout', {}, Buffer.alloc(1000, n))
    await waitFor(() => socket.readableLength > 10_000)
    const failed = once(socket, 'error')
    gateway.reset()
    await failed
    const late: number[] = []
    for await (const { payload } of packets) late.push(payload[0] ?? -1)
    expect(late).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(stream.error?.message).toBe('the connection broke off (read ECONNRESET)')
  })

  it('sends packets in their order, however large one is', async () => {
    const { gateway, stream } = await opened()
    const sizes = [1, 3 * 1024 * 1024, 0, 70_000]
    const types = sizes.map((size) => `P${size}`)
    await Promise.all(
      sizes.map((size) => stream.send({ type: `P${size}`, spec: {}, payload: Buffer.alloc(size, 7) })),
    )
    await waitFor(() => gateway.received.length >= sizes.length)
    expect(gateway.received.map(({ type }) => type).filter((type) => type.startsWith('P'))).toEqual(types)
    stream.drop('done')
  })

  it('is given up when the gateway answers two keepalives in a row with nothing', async () => {
    const { gateway, stream } = await opened()
    gateway.isSilent = true
    expect(await all(stream)).toEqual([])
    expect(stream.error?.message).toBe('the gateway did not answer two health checks in a row')
    expect(keepalives(gateway)).toBeLessThanOrEqual(3)
  })

  it('lives as long as the gateway answers, and while nobody reads it', async () => {
    const { gateway, stream } = await opened()
    const reading = all(stream)
    await waitFor(() => keepalives(gateway) > 5)
    expect(stream.error).toBeUndefined()
    gateway.fail('gateway-stopped', 'bye')
    await reading

    const unread = await opened()
    unread.gateway.isSilent = true
    await waitFor(() => keepalives(unread.gateway) > 5)
    expect(unread.stream.error).toBeUndefined()
    unread.stream.drop('done')
  })
})
