import { beforeEach, describe, expect, it } from 'vitest'
import { JoinedWrites, packetsIn } from '../../src/wire/joined-packets.ts'
import { NO_PAYLOAD, type Packet } from '../../src/wire/packet.ts'
import { joined } from '../support/scripted/joined.ts'

let messages: Packet[]
let taken: (() => void)[]
let written: string[]
let writes: JoinedWrites

beforeEach(() => {
  messages = []
  taken = []
  written = []
  writes = new JoinedWrites((packet, done) => {
    messages.push(packet)
    taken.push(done)
  })
  writes.isJoining = true
})

function write(...types: string[]): void {
  for (const type of types) {
    const payload = Buffer.alloc(type.startsWith('large') ? 64 * 1024 : 4096, type)
    writes.write({ type, spec: { key: Buffer.from('value') }, payload }, () => written.push(type))
  }
}

/** gRPC takes the oldest message. */
const take = () => taken.shift()?.()
const typesOf = (message: Packet | undefined) =>
  message === undefined ? [] : [...packetsIn(message)].map(({ type }) => type)

describe('a stream of joined packets', () => {
  it('joins the small packets that wait for a message, as they were, and tells when each has left', () => {
    write('a', 'b', 'c')
    expect(messages.map(typesOf)).toEqual([['a']])
    take()
    expect(messages.map(typesOf)).toEqual([['a'], ['b', 'c']])
    expect(written).toEqual(['a'])
    const [, b] = messages.flatMap((message) => [...packetsIn(message)])
    expect(b).toMatchObject({
      type: 'b',
      spec: { key: Buffer.from('value') },
      payload: Buffer.alloc(4096, 'b'),
    })
    take()
    expect(written).toEqual(['a', 'b', 'c'])
  })

  it('keeps the order of small and large packets, and joins no large one', () => {
    write('large 1', 'large 2', 'a', 'b', 'large 3', 'c')
    for (let n = 0; n < 6; n++) take()
    expect(messages.map(typesOf)).toEqual([['large 1'], ['large 2'], ['a', 'b'], ['large 3'], ['c']])
  })

  it('joins no more than 64 KiB', () => {
    write('first', ...Array.from({ length: 40 }, (_, n) => `${n}`))
    for (let n = 0; n < 4; n++) take()
    expect(messages.map((message) => typesOf(message).length)).toEqual([1, 16, 16, 8])
  })

  it('joins nothing for a peer that does not read joined packets', () => {
    writes.isJoining = false
    write('a', 'b', 'c')
    expect(messages.map(({ type }) => type)).toEqual(['a', 'b', 'c'])
  })

  it('ends after its last packet, and writes nothing when it is dropped', () => {
    write('a', 'b')
    let ends = 0
    writes.end(() => (ends = messages.length))
    expect(ends).toBe(0)
    take()
    expect(ends).toBe(2)
    write('c', 'd')
    writes.drop()
    take()
    expect(messages.map(typesOf)).toEqual([['a'], ['b']])
  })

  it('yields what is in order before it fails at what is not, and opens no joined packets in others', () => {
    const packet = { type: 'T', spec: {}, payload: NO_PAYLOAD }
    const inner = { type: 'RunbookJoinedPackets', spec: {}, payload: joined([packet]) }
    const bytes = joined([packet, inner])
    expect([...packetsIn({ ...inner, payload: bytes })].map(({ type }) => type)).toEqual(['T', inner.type])
    for (const [rest, message] of [
      [Buffer.of(0), 'RunbookJoinedPackets: malformed'],
      [Buffer.of(0, 0, 0, 5, 1), 'RunbookJoinedPackets: malformed'],
      [Buffer.of(0, 0, 0, 1, 0xff), 'packet: the bytes end too early'],
    ] as const) {
      const packets = packetsIn({ ...inner, payload: Buffer.concat([joined([packet]), rest]) })[
        Symbol.iterator
      ]()
      expect(packets.next().value).toMatchObject(packet)
      expect(() => packets.next()).toThrow(message)
    }
  })

  it('fails at more than 64,000 packets and fields: millions would stop the process', () => {
    const type = 'RunbookJoinedPackets'
    const countOf = (payload: Buffer) => [...packetsIn({ type, spec: {}, payload })].length
    expect(countOf(Buffer.alloc(64_000 * 4))).toBe(64_000)
    expect(() => countOf(Buffer.alloc(64_001 * 4))).toThrow('more than 64000 fields')
    // Each packet has 3,000 fields of a newer version.
    const packet = Buffer.concat([Buffer.of(0, 0, 0x17, 0x70), Buffer.alloc(6000, '7801', 'hex')])
    expect(countOf(Buffer.concat(Array.from({ length: 21 }, () => packet)))).toBe(21)
    expect(() => countOf(Buffer.concat(Array.from({ length: 22 }, () => packet)))).toThrow(
      'more than 64000 fields',
    )
  })
})
