import { describe, expect, it, vi } from 'vitest'
import { endIn, endPacket, frameHead, FrameReader } from '../../src/wire/framed-packets.ts'
import { DecodeError, MAX_MESSAGE_BYTES, type Packet } from '../../src/wire/packet.ts'

const large: Packet = {
  type: 'ClientWriteStdout',
  spec: { a: Buffer.alloc(70_000, 1) },
  payload: Buffer.alloc(300_000, 2),
}
const packets: Packet[] = [
  { type: 'AgentSessionOpen', spec: {}, payload: Buffer.from('echo \0\xff', 'latin1') },
  { type: '', spec: { '': Buffer.alloc(0), ключ: Buffer.from([0, 1, 255]) }, payload: Buffer.alloc(0) },
  large,
  { type: 'X', spec: Object.fromEntries([['__proto__', Buffer.from('data')]]), payload: Buffer.from('end') },
]
const bytesOf = (packet: Packet) => Buffer.concat([frameHead(packet), packet.payload])
const whole = Buffer.concat(packets.map(bytesOf))

describe('packets in frames', () => {
  it.each([1, 7, 65_536, whole.length])('are read again from pieces of %i bytes', (size) => {
    const reader = new FrameReader()
    const read: Packet[] = []
    for (let at = 0; at < whole.length; at += size) read.push(...reader.push(whole.subarray(at, at + size)))
    expect(read.map(({ type }) => type)).toEqual(packets.map(({ type }) => type))
    expect(read.map(({ spec }) => Object.entries(spec))).toEqual(
      packets.map(({ spec }) => Object.entries(spec)),
    )
    expect(Buffer.concat(read.map(bytesOf)).equals(whole)).toBe(true)
  })

  it('are refused when they are longer than any message, before they have come', () => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(MAX_MESSAGE_BYTES + 1)
    expect(() => new FrameReader().push(length)).toThrow(/longer than 17825792 bytes/)
    length.writeUInt32BE(MAX_MESSAGE_BYTES)
    expect(new FrameReader().push(length)).toEqual([])
  })

  it.each([
    ['with a length that points beyond the end', '127f', 'the bytes end too early'],
    ['with a text that is not UTF-8', '1202c328', 'a text is not UTF-8'],
    ['with more than a thousand entries', '1a030a0161'.repeat(1001), 'more than 1000 entries'],
  ])('are refused %s, as over gRPC', (_, hex, reason) => {
    const packet = Buffer.from(hex, 'hex')
    const length = Buffer.alloc(4)
    length.writeUInt32BE(packet.length)
    const refused = new DecodeError('packet', reason)
    expect(() => new FrameReader().push(Buffer.concat([length, packet]))).toThrow(refused)
  })

  it('tell the end of a stream with its code', () => {
    expect(endIn(endPacket('session-killed', 'why \n'))).toEqual({
      code: 'session-killed',
      message: 'why \n',
    })
    expect(endIn({ type: 'RunbookStreamEnd', spec: {}, payload: Buffer.alloc(0) })?.code).toBeUndefined()
    expect(endIn(large)).toBeUndefined()
  })

  it('take about their own bytes of memory, in whatever pieces they come, and none afterwards', () => {
    const bytes = bytesOf({ type: 'X', spec: {}, payload: Buffer.alloc(4 * 1024 * 1024, 1) })
    const reader = new FrameReader()
    const joined = vi.spyOn(Buffer, 'concat')
    for (const byte of bytes.subarray(0, 256 * 1024)) reader.push(Buffer.of(byte))
    joined.mockClear()
    expect(reader.push(bytes.subarray(256 * 1024))).toHaveLength(1)
    expect(joined.mock.lastCall?.[0].length).toBeLessThan(100)
    const next = bytesOf({ type: 'Y', spec: {}, payload: Buffer.alloc(0) })
    joined.mockClear()
    expect(reader.push(next)).toHaveLength(1)
    expect(joined).not.toHaveBeenCalled()
    joined.mockRestore()
  })
})
