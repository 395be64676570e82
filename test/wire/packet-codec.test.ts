import { loadSync } from '@grpc/proto-loader'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packageFiles } from '../../src/basics/files/package-files.ts'
import { decodePacket, encodePacket } from '../../src/wire/packet-codec.ts'
import type { Packet } from '../../src/wire/packet.ts'

const options = { keepCase: true, defaults: true, bytes: Buffer, objects: true } as const
/** protobufjs, which follows the .proto. */
const reference = (
  loadSync(packageFiles.proto, options)['protobuf.Transport'] as unknown as {
    readonly Connect: {
      readonly requestSerialize: (packet: Packet) => Buffer
      readonly requestDeserialize: (bytes: Buffer) => Packet
    }
  }
).Connect

const bytes = (maxLength = 300) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const text = fc.oneof(
  fc.constantFrom('', 'ClientPGConnectionWrite', 'gateway.session_id', 'client.connection_id', 'toString'),
  fc.string({ unit: 'binary', maxLength: 200 }),
)
const packets = fc.record({
  type: text,
  spec: fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    bytes(),
    { maxKeys: 5, noNullPrototype: true },
  ),
  payload: bytes(),
})

describe('packets as protobuf', () => {
  it('are written as protobufjs writes them, and read back', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        const written = encodePacket(packet)
        expect(written.equals(reference.requestSerialize(packet))).toBe(true)
        expect(decodePacket(written)).toEqual(packet)
      }),
      { numRuns: 500 },
    )
    for (const size of [127, 128, 16_383, 16_384, 3_000_000]) {
      const packet = { type: 'T', spec: { k: Buffer.alloc(size, 'v') }, payload: Buffer.alloc(size, 'p') }
      expect(encodePacket(packet).equals(reference.requestSerialize(packet))).toBe(true)
      expect(decodePacket(encodePacket(packet)).payload.equals(packet.payload)).toBe(true)
    }
  })

  it('are read as protobufjs reads them: fields in any order, more than once, missing, or unknown', () => {
    const field = (tag: number, value: Buffer) => Buffer.concat([Buffer.of(tag, value.length), value])
    const short = bytes(20)
    const entry = fc
      .array(
        fc.oneof(
          short.map((value) => field(0x0a, Buffer.from(value.toString('hex')))),
          short.map((value) => field(0x12, value)),
          fc.constant(Buffer.of(0x18, 0xff, 0x01)),
        ),
        { maxLength: 3 },
      )
      .map((parts) => Buffer.concat(parts))
    const part = fc.oneof(
      short.map((value) => field(0x12, Buffer.from(value.toString('hex')))),
      short.map((value) => field(0x22, value)),
      entry.map((value) => field(0x1a, value)),
      // Field 1, which nobody uses, and numbers of 64 and 32 bits.
      short.map((value) => field(0x0a, Buffer.from(value.toString('hex')))),
      fc
        .constantFrom('2880808080808080808001', '310102030405060708', '3501020304', '9a060178')
        .map((hex) => Buffer.from(hex, 'hex')),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const all = Buffer.concat(parts)
        const { type, spec, payload } = reference.requestDeserialize(all)
        // protobufjs makes an array of a value that is missing.
        const values = Object.entries(spec).map(([key, value]) => [key, Buffer.from(value)] as const)
        expect(decodePacket(all)).toEqual({ type, spec: Object.fromEntries(values), payload })
      }),
      { numRuns: 500 },
    )
  })

  it('are refused when they are cut off or have fields of unknown forms', () => {
    const whole = encodePacket({ type: 'T', spec: { k: Buffer.from('v') }, payload: Buffer.from('payload') })
    const isRead = (end: number) => {
      try {
        decodePacket(whole.subarray(0, end))
        return true
      } catch {
        return false
      }
    }
    // Between two fields, the rest is a packet, too.
    expect(Array.from(whole, (_, end) => end).filter(isRead)).toEqual([0, 3, 11])
    for (const hex of ['0001', '13', '14', '16', '17', '12ffffffff0f', '28ffffffffffffffffffff01', '12'])
      expect(() => decodePacket(Buffer.from(hex, 'hex'))).toThrow()
  })

  it('are refused when a tag or length has more than 32 bits, and are read when it has spare zeros', () => {
    for (const hex of ['12818080801061', '1281808080800161', '92808080100161', '22ffffffffffffffffff01'])
      expect(() => decodePacket(Buffer.from(hex, 'hex')), hex).toThrow('more than 32 bits')
    for (const hex of ['128180808080808080800061', '928000810061'])
      expect(decodePacket(Buffer.from(hex, 'hex')).type, hex).toBe('a')
  })

  it.each([
    ['a type', '1202c328'],
    ['a key', '1a040a02ff61'],
    ['half a letter', '1201c3'],
    ['half of a pair of UTF-16', '1203eda080'],
  ])('are refused when a text is not UTF-8, as in Go: %s', (_, hex) => {
    expect(() => decodePacket(Buffer.from(hex, 'hex'))).toThrow('not UTF-8')
  })

  it('are refused when they have a thousand entries and one more, even of one key', () => {
    const packet = (count: number) => Buffer.from('1a030a0161'.repeat(count), 'hex')
    expect(decodePacket(packet(1000)).spec).toEqual({ a: Buffer.alloc(0) })
    expect(() => decodePacket(packet(1001))).toThrow('more than 1000 entries')
  })

  it('are refused when they have more than 4,000 fields, also of one entry or of a newer version', () => {
    for (const field of ['120161', '2200', '2000', '3200']) {
      expect(() => decodePacket(Buffer.from(field.repeat(4000), 'hex')), field).not.toThrow()
      expect(() => decodePacket(Buffer.from(field.repeat(4001), 'hex')), field).toThrow(
        'more than 4000 fields',
      )
    }
    // The entry is a field with 3,999 and 4,000 others, of 3 bytes each.
    const entryOf = (length: string, count: number) =>
      Buffer.from(`1a${length}${'0a0161'.repeat(count)}`, 'hex')
    expect(decodePacket(entryOf('dd5d', 3999)).spec).toEqual({ a: Buffer.alloc(0) })
    expect(() => decodePacket(entryOf('e05d', 4000))).toThrow('more than 4000 fields')
  })

  it('do not keep a large message in memory for a small payload', () => {
    const message = (payload: number, rest: number) =>
      encodePacket({ type: 'T', spec: { key: Buffer.alloc(rest) }, payload: Buffer.alloc(payload, 7) })
    const { payload } = decodePacket(message(1, 300 * 1024))
    expect(payload).toEqual(Buffer.of(7))
    expect(payload.buffer.byteLength).toBeLessThan(100 * 1024)
    const large = message(200 * 1024, 100 * 1024)
    expect(decodePacket(large).payload.buffer).toBe(large.buffer)
  })

  it('keep the key __proto__ as data', () => {
    const key = '5f5f70726f746f5f5f'
    const { spec } = decodePacket(Buffer.from(`1a0e0a09${key}120178`, 'hex'))
    expect(Object.hasOwn(spec, '__proto__')).toBe(true)
    expect(Object.getPrototypeOf(spec)).toBe(Object.prototype)
  })

  it('of one type or key after another of the same length have their own', () => {
    const typesOf = (...types: string[]) =>
      types.map((type) => decodePacket(encodePacket({ type, spec: {}, payload: Buffer.alloc(0) })).type)
    expect(typesOf('aa', 'ab', 'aa', 'ää', 'aaaa')).toEqual(['aa', 'ab', 'aa', 'ää', 'aaaa'])
  })
})
