import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../../src/wire/packet.ts'
import { GobPlace, GobReader } from '../../../src/wire/gob/reader.ts'

/** A reader inside a message of these bytes. */
function readerOf(hex: string): GobReader {
  const body = Buffer.from(hex, 'hex')
  const reader = new GobReader(Buffer.concat([Buffer.of(body.length), body]), new GobPlace('x'))
  reader.openMessage()
  return reader
}

function unsignedHex(value: bigint): string {
  if (value < 0x80n) return value.toString(16).padStart(2, '0')
  const digits = value.toString(16)
  const bytes = digits.padStart(digits.length + (digits.length % 2), '0')
  return (0x100 - bytes.length / 2).toString(16) + bytes
}

describe('integers', () => {
  test.each([
    ['00', 0],
    ['7f', 127],
    ['ff80', 128],
    ['fe0100', 256],
    ['fa010000000000', 2 ** 40],
    ['f91fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['f920000000000000', 2n ** 53n],
    ['f8ffffffffffffffff', 2n ** 64n - 1n],
    ['f80000000000000001', 1],
  ])('unsigned %s is %s', (hex, value) => {
    expect(readerOf(hex).unsigned()).toBe(value)
  })

  test.each([
    ['00', 0],
    ['01', -1],
    ['06', 3],
    ['fe0101', -129],
    ['f93fffffffffffff', -(2n ** 53n)],
    ['f93ffffffffffffe', Number.MAX_SAFE_INTEGER],
    ['f8ffffffffffffffff', -(2n ** 63n)],
    ['f8fffffffffffffffe', 2n ** 63n - 1n],
  ])('signed %s is %s', (hex, value) => {
    expect(readerOf(hex).signed()).toBe(value)
  })

  test('every 64 bit integer comes back, signed and unsigned', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        expect(BigInt(readerOf(unsignedHex(value)).unsigned())).toBe(value)
        const signed = value % 2n === 0n ? value / 2n : -((value + 1n) / 2n)
        expect(BigInt(readerOf(unsignedHex(value)).signed())).toBe(signed)
      }),
    )
  })

  test('an integer of more than 8 bytes is refused', () => {
    expect(() => readerOf('f7010203040506070809').unsigned()).toThrow('x: integer of 9 bytes')
    expect(() => readerOf('80').unsigned()).toThrow('x: integer of 128 bytes')
  })

  test('a type number beyond what a number holds is refused', () => {
    expect(() => readerOf('f8ffffffffffffffff').typeId()).toThrow('type number out of range')
  })
})

describe('floats', () => {
  test.each([
    ['00', 0],
    ['fe3140', 17],
    ['f89a9999999999b9bf', -0.1],
    ['fef0ff', -Infinity],
    ['ff80', -0],
  ])('%s is %s', (hex, value) => {
    expect(readerOf(hex).float()).toBe(value)
  })
})

describe('bytes and text', () => {
  test('bytes are a copy, so the packet they came in can be let go', () => {
    const stream = Buffer.from('0302abcd', 'hex')
    const reader = new GobReader(stream, new GobPlace('x'))
    reader.openMessage()
    const bytes = reader.bytes()
    stream.fill(0)
    expect(bytes).toEqual(Buffer.of(0xab, 0xcd))
  })

  test('text may hold NUL, a byte order mark and any other character', () => {
    expect(readerOf('07efbbbf00e29895').text()).toBe('\ufeff\0☕')
  })

  test('text that is not UTF-8 stays closed bytes instead of being altered', () => {
    const text = { kind: 'opaque', what: 'text that is not UTF-8', bytes: Buffer.of(0x61, 0xff) }
    expect(readerOf('0261ff').text()).toEqual(text)
  })

  test('a view into a larger buffer is read from where it starts to where it ends', () => {
    const view = Uint8Array.of(0xff, 0xff, 3, 2, 0xab, 0xcd, 0xff, 0xff).subarray(2, 6)
    const reader = new GobReader(view, new GobPlace('x'))
    reader.openMessage()
    expect(reader.bytes()).toEqual(Buffer.of(0xab, 0xcd))
    expect(reader.atEnd).toBe(true)
  })
})

describe('lengths', () => {
  test('a length is refused when fewer bytes are left in the message, even if the stream has more', () => {
    const reader = new GobReader(Buffer.from('0203aabbccdd', 'hex'), new GobPlace('x'))
    reader.openMessage()
    expect(() => reader.bytes()).toThrow('x: length 3 with only 1 bytes left')
  })

  test('a count of elements is measured against the whole stream, as messages may follow', () => {
    const stream = Buffer.from('0203aabbccdd', 'hex')
    const reader = new GobReader(stream, new GobPlace('x'))
    reader.openMessage()
    expect(reader.elementCount()).toBe(3)
  })

  test.each(['fa010000000000', 'f8ffffffffffffffff'])(
    'the length %s is refused without allocating',
    (hex) => {
      expect(() => readerOf(hex).bytes()).toThrow(DecodeError)
      expect(() => readerOf(hex).text()).toThrow(DecodeError)
      expect(() => readerOf(hex).elementCount()).toThrow(DecodeError)
    },
  )

  test('a message longer than the stream, an empty one and none at all are refused', () => {
    expect(() => new GobReader(Buffer.of(2, 0), new GobPlace('x')).openMessage()).toThrow(
      'length 2 with only 1',
    )
    expect(() => new GobReader(Buffer.of(0, 1), new GobPlace('x')).openMessage()).toThrow('empty message')
    expect(() => new GobReader(Buffer.of(), new GobPlace('x')).openMessage()).toThrow('ends before')
  })
})
