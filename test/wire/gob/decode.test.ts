import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeGob,
  MAX_DEFINITIONS,
  MAX_GOB_DEPTH,
  MAX_VALUE_BYTES,
  MAX_VALUES,
} from '../../../src/wire/gob/decode.ts'
import {
  BYTES,
  encodeBytes,
  encodeGob,
  encodeGobText,
  encodeList,
  encodeMap,
  encodeStruct,
  encodeTextInside,
  INTERFACE,
  STRING,
  type TypeDefinition,
} from '../../../src/wire/gob/encode.ts'
import { GobPlace, GobReader } from '../../../src/wire/gob/reader.ts'
import { DecodeError } from '../../../src/wire/packet.ts'
import { vectorBytes } from './vectors.ts'

const decodeHex = (hex: string) => decodeGob(Buffer.from(hex, 'hex'), 'x')
const struct = (fields: Record<string, unknown>) => ({
  kind: 'struct',
  fields: new Map(Object.entries(fields)),
})
const inside = (goType: string, value: unknown) => ({ kind: 'interface', goType, value })
const list = (id: number, element: number): TypeDefinition => ({ kind: 'slice', id, name: '', element })

/** The DecodeError that decoding throws. */
function refusal(bytes: Uint8Array, field = 'x'): DecodeError {
  try {
    decodeGob(bytes, field)
  } catch (error) {
    if (error instanceof DecodeError) return error
    throw error
  }
  throw new Error('was accepted')
}

// The hex strings in these two blocks are what Go 1.26's encoding/gob wrote for the value in the title.
describe('single values as Go writes them', () => {
  test.each<[string, string, unknown]>([
    ['int 3', '03040006', 3],
    ['int -129', '050400fe0101', -129],
    ['int64 2^53', '0a0400f940000000000000', 2n ** 53n],
    ['uint64 2^53-1', '0a0600f91fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['true', '03020001', true],
    ['17.0', '050800fe3140', 17],
    ['-Inf', '050800fef0ff', -Infinity],
    ['[]byte("raw")', '060a0003726177', Buffer.from('raw')],
    ['[3]uint8', '0effa1010102ffa20001060106000007ffa20003010203', [1, 2, 3]],
    ['[][]byte', '0cff9f020102ffa000010a000007ffa00002016100', [Buffer.from('a'), Buffer.alloc(0)]],
    ['[]any{nil}', '0cff85020102ff86000110000005ff86000100', [inside('<nil>', undefined)]],
    ['type tree []tree', '13ff8b020101047472656501ff8c0001ff8c000007ff8c0002000100', [[], [[]]]],
  ])('%s', (_title, hex, value) => {
    expect(decodeHex(hex)).toEqual(value)
  })
})

describe('structs as Go writes them', () => {
  test('one with a field of every kind', () => {
    const hex =
      '5cff91030101056b696e647301ff9200010b010142010200010149010400010155010600010146010800010143010e0001024279010a' +
      '00010153010c000102417201ff940001014d01ff960001014501ff9a000102537401ff9c00000017ff93010101075b325d626f6f6c01' +
      'ff94000102010400001eff950401010e6d61705b696e745d737472696e6701ff96000104010c00001aff990201010b5b5d7374727563' +
      '74207b7d01ff9a0001ff9800000aff97030102ff9800000025ff9b03010111737472756374207b205820696e7438207d01ff9c000101' +
      '01015801040000003fff92010101f8ffffffffffffffff01f8ffffffffffffffff01f89a9999999999b9bf01fef03fffc0010200ff01' +
      '03c3a90001020100010101016d0201050000'
    expect(decodeHex(hex)).toEqual(
      struct({
        B: true,
        I: -(2n ** 63n),
        U: 2n ** 64n - 1n,
        F: -0.1,
        C: { kind: 'complex', real: 1, imaginary: -2 },
        By: Buffer.of(0, 255),
        S: 'é\0',
        Ar: [true, false],
        M: new Map([[-1, 'm']]),
        St: struct({ X: -3 }),
      }),
    )
  })

  test('a recursive one', () => {
    const hex =
      '22ff89030101046e6f646501ff8a00010201015601040001044e65787401ff8a0000000dff8a0102010104010106000000'
    expect(decodeHex(hex)).toEqual(struct({ V: 1, Next: struct({ V: 2, Next: struct({ V: 3 }) }) }))
  })

  test('one whose field encodes itself (time.Time)', () => {
    const hex =
      '20ff8d0301010573656c667301ff8e00010201015401ff9000010148010c00000010ff8f0501010454696d6501ff9000000019ff8e01' +
      '0f010000000e7791f70000000000ffff010374787400'
    const bytes = Buffer.from('010000000e7791f70000000000ffff', 'hex')
    expect(decodeHex(hex)).toEqual(
      struct({ T: { kind: 'opaque', what: 'a value with its own encoding', bytes }, H: 'txt' }),
    )
  })

  test('the other two ways of encoding itself, BinaryMarshaler and TextMarshaler, are passed over too', () => {
    for (const way of ['06', '07']) {
      const hex = `10ff8f${way}01010454696d6501ff9000000007ff900003010203`
      expect(decodeHex(hex)).toMatchObject({ kind: 'opaque', bytes: Buffer.of(1, 2, 3) })
    }
  })

  test('interfaces that define types in the middle of the value, also inside each other', () => {
    const hex =
      '337f030101056f7574657201ff8000010401064265666f7265010c0001014101100001014201100001054166746572010c0000002eff' +
      '80010162010b6d61696e2e6d6964646c65ff81030101066d6964646c6501ff820001010103416e7901100000004cff8225010a6d6169' +
      '6e2e696e6e6572ff8303010105696e6e657201ff8400010101014e010400000007ff8403010e0000010e5b5d696e7465726661636520' +
      '7b7dff85020102ff8600011000004fff862600040a6d61696e2e6f74686572ff87030101056f7468657201ff88000101010153010c00' +
      '000021ff88040101780003696e7404020006000a6d61696e2e696e6e6572ff840301020001017a00'
    expect(decodeHex(hex)).toEqual(
      struct({
        Before: 'b',
        A: inside('main.middle', struct({ Any: inside('main.inner', struct({ N: 7 })) })),
        B: inside('[]interface {}', [
          inside('main.other', struct({ S: 'x' })),
          inside('int', 3),
          inside('<nil>', undefined),
          inside('main.inner', struct({ N: 1 })),
        ]),
        After: 'z',
      }),
    )
  })

  test('interfaces three levels deep at the top of a stream', () => {
    const hex =
      '0cff85020102ff86000110000028ff8600030a6d61696e2e696e6e6572ff8303010105696e6e657201ff8400010101014e0104000000' +
      '2eff84030102000b6d61696e2e6d6964646c65ff81030101066d6964646c6501ff820001010103416e7901100000004eff823f010b6d' +
      '61696e2e6d6964646c65ff8225010a6d61696e2e6f74686572ff87030101056f7468657201ff88000101010153010c00000008ff8804' +
      '01017100000006737472696e670c03000173'
    const innermost = inside('main.other', struct({ S: 'q' }))
    expect(decodeHex(hex)).toEqual([
      inside('main.inner', struct({ N: 1 })),
      inside('main.middle', struct({ Any: inside('main.middle', struct({ Any: innermost })) })),
      inside('string', 's'),
    ])
  })

  test('a newer gateway, with unknown fields of every kind', () => {
    const decoded = decodeGob(vectorBytes('params-newer-gateway'), 'x')
    const limits = struct({
      CPU: 1.5,
      Mem: 2n ** 64n - 1n,
      Nice: -20,
      Tags: new Map([['k', ['v', 'w']]]),
      Enabled: true,
      Ratio: { kind: 'complex', real: 1, imaginary: -2 },
      Grid: [1, -2, 3],
    })
    expect(decoded).toEqual(
      struct({
        Priority: -7,
        ConnectionName: 'new',
        ConnectionType: 'command-line',
        Limits: limits,
        LimitsPtr: limits,
        History: [limits, struct({ Grid: [0, 0, 0] })],
        EnvVars: new Map([['envvar:A', inside('string', 'MQ==')]]),
        Weights: new Map([
          [300, 2],
          [-1, 0.5],
        ]),
        CmdList: ['sh'],
        Any: inside('main.limits', limits),
        ClientArgs: ['-c'],
        ClientVerb: 'exec',
        Deadline: -(2n ** 63n),
      }),
    )
  })
})

describe('the caps', () => {
  test(`a value of more than ${MAX_VALUE_BYTES} bytes is refused unread`, () => {
    expect(refusal(Buffer.alloc(MAX_VALUE_BYTES + 1)).message).toMatch(/17825793 bytes, maximum is 17825792/)
  })

  test(`a value of ${MAX_VALUE_BYTES} bytes is read`, () => {
    const bytes = encodeGob([list(64, BYTES)], encodeList([Buffer.alloc(0)]))
    const filling = MAX_VALUE_BYTES - bytes.length
    const sized = (size: number) =>
      encodeGob([list(64, BYTES)], encodeList([encodeBytes(Buffer.alloc(size))]))
    const overhead = sized(filling).length - MAX_VALUE_BYTES
    const largest = sized(filling - overhead)
    expect(largest.length).toBe(MAX_VALUE_BYTES)
    expect(decodeGob(largest, 'x')).toHaveLength(1)
  })

  test('a slice of empty structs ends at the cap, though an element takes one byte', () => {
    const empty: TypeDefinition = { kind: 'struct', id: 65, name: '', fields: {} }
    const bytes = encodeGob(
      [list(64, 65), empty],
      encodeList(Array<Buffer>(MAX_VALUES + 1).fill(encodeStruct([]))),
    )
    expect(refusal(bytes).message).toMatch(/: more than 262144 values$/)
  })

  test('values are counted over the whole stream, not per list', () => {
    const row = encodeList(Array<Buffer>(1000).fill(Buffer.of(0)))
    const bytes = encodeGob([list(64, 65), list(65, STRING)], encodeList(Array<Buffer>(300).fill(row)))
    expect(refusal(bytes).message).toMatch(/^x\[261\]\[\d+\]: more than 262144 values$/)
  })

  test('what interfaces hold is counted', () => {
    const element = encodeTextInside('')
    const bytes = encodeGob([list(64, INTERFACE)], encodeList(Array<Buffer>(MAX_VALUES / 2).fill(element)))
    expect(refusal(bytes).message).toMatch(/more than 262144 values$/)
  })

  test('map keys and map values are counted', () => {
    const map: TypeDefinition = { kind: 'map', id: 64, name: '', key: STRING, element: STRING }
    const entries = Array.from({ length: MAX_VALUES / 2 + 1 }, () => [Buffer.of(0), Buffer.of(0)] as const)
    expect(refusal(encodeGob([map], encodeMap(entries))).message).toMatch(/more than 262144 values$/)
  })

  test('a claimed count that the bytes cannot hold is refused at once', () => {
    const empty: TypeDefinition = { kind: 'struct', id: 65, name: '', fields: {} }
    const hugeCount = Buffer.from('f8ffffffffffffffff', 'hex')
    expect(refusal(encodeGob([list(64, 65), empty], hugeCount)).message).toMatch(
      /length 18446744073709551615 with/,
    )
  })

  test('nesting ends at the depth cap, whether by a recursive type or by interfaces', () => {
    const nested = (levels: number): Buffer =>
      levels === 1 ? encodeList([]) : encodeList([nested(levels - 1)])
    expect(decodeGob(encodeGob([list(64, 64)], nested(MAX_GOB_DEPTH)), 'x')).toHaveLength(1)
    expect(refusal(encodeGob([list(64, 64)], nested(MAX_GOB_DEPTH + 1))).message).toMatch(
      /nested more than 32 levels/,
    )

    const boxed = (levels: number): Buffer => {
      if (levels === 0) return Buffer.of(0)
      const value = encodeBytes(Buffer.concat([Buffer.of(0), boxed(levels - 1)]))
      return Buffer.concat([encodeGobText('any'), Buffer.of(INTERFACE * 2), value])
    }
    expect(refusal(encodeGob([list(64, INTERFACE)], encodeList([boxed(40)]))).message).toMatch(
      /nested more than 32/,
    )
  })

  test('type definitions end at their cap', () => {
    const definitions = (count: number) =>
      Array.from({ length: count }, (_, index) => list(65 + index, STRING))
    const atCap = encodeGob([list(64, STRING), ...definitions(MAX_DEFINITIONS - 1)], encodeList([]))
    expect(decodeGob(atCap, 'x')).toEqual([])
    const above = encodeGob([list(64, STRING), ...definitions(MAX_DEFINITIONS)], encodeList([]))
    expect(refusal(above).message).toMatch(/more than 256 type definitions/)
  })
})

describe('a definition that was read before', () => {
  const slice = (id: number, name: string): TypeDefinition => ({ kind: 'slice', id, name, element: STRING })
  const texts = (count: number) => encodeList(Array<Buffer>(count).fill(encodeGobText('')))

  test('counts as much as the first time', () => {
    // The list is one value, its definition is six.
    const most = MAX_VALUES - 7
    for (const time of ['first', 'again']) {
      expect(decodeGob(encodeGob([slice(64, 'counted')], texts(most)), 'x'), time).toHaveLength(most)
      const above = refusal(encodeGob([slice(64, 'counted')], texts(most + 1)))
      expect(above.message, time).toContain(`more than ${MAX_VALUES} values`)
    }
  })

  test('is no way past the limit', () => {
    const struct = (id: number, count: number): TypeDefinition => {
      const fields = Array.from({ length: count }, (_, index) => [`F${index}`, STRING] as const)
      return { kind: 'struct', id, name: '', fields: Object.fromEntries(fields) }
    }
    const known = struct(65, 400)
    expect(decodeGob(encodeGob([slice(64, ''), known], texts(0)), 'x')).toEqual([])
    // Three values for each field: there is room for 1000 more, and the known definition has 1200.
    const most = struct(66, Math.floor((MAX_VALUES - 1000) / 3))
    const above = refusal(encodeGob([slice(64, ''), most, known], texts(1)))
    expect(above.message).toContain(`more than ${MAX_VALUES} values`)
  })

  test('says nothing about its number in another stream', () => {
    const strings = encodeGob([slice(64, '')], encodeList([encodeGobText('text')]))
    const bytes = encodeGob([list(64, BYTES)], encodeList([encodeBytes(Buffer.from('bytes'))]))
    for (let time = 0; time < 3; time++) {
      expect(decodeGob(strings, 'x')).toEqual(['text'])
      expect(decodeGob(bytes, 'x')).toEqual([Buffer.from('bytes')])
    }
  })

  test('is read anew when a client has sent hundreds of others', () => {
    const read = () => decodeGob(encodeGob([slice(64, 'ours')], texts(1)), 'x')
    read()
    for (let other = 0; other < 300; other++) decodeGob(encodeGob([slice(64, `o${other}`)], texts(0)), 'x')
    expect(read()).toEqual([''])
  })
})

describe('malformed streams', () => {
  const DEFINES_64 = Buffer.of(0x7f)
  const emptyDescription = encodeStruct([encodeStruct([])])
  /** Go's wireType for a struct with fields of these names. */
  function structOf(names: readonly (Buffer | undefined)[]): Buffer {
    const fields = names.map((name) => encodeStruct([name, Buffer.of(STRING * 2)]))
    return encodeStruct([undefined, undefined, encodeStruct([encodeStruct([]), encodeList(fields)])])
  }
  const strings = encodeGob([list(64, STRING)], encodeList([encodeGobText('a')]))

  test('bytes after the value are refused, in its message and behind it', () => {
    expect(refusal(Buffer.concat([strings, Buffer.of(0)])).message).toMatch(
      /bytes after the end of the value/,
    )
    expect(refusal(Buffer.concat([strings, strings])).message).toMatch(/bytes after the end of the value/)
    expect(refusal(encodeGob([list(64, STRING)], Buffer.of(0, 0))).message).toMatch(
      /bytes after the end of the value/,
    )
  })

  test('every truncation of a value is refused', () => {
    const bytes = vectorBytes('params-newer-gateway')
    for (let length = 0; length < bytes.length; length++) refusal(bytes.subarray(0, length))
  })

  test.each<[string, readonly [TypeDefinition, ...TypeDefinition[]], RegExp]>([
    ['a number defined twice', [list(64, STRING), list(64, BYTES)], /type 64 is defined twice/],
    ['a reserved number', [list(STRING, STRING)], /type 6 cannot be defined, it is reserved/],
    ['an element type that is not defined', [list(64, 99)], /^x\[0\]: type 99 is not defined/],
    ['an element type zero', [list(64, 0)], /^x\[0\]: type 0 is not defined/],
    ['an element type below zero', [list(64, -64)], /^x\[0\]: type -64 is not defined/],
  ])('%s', (_title, definitions, message) => {
    expect(refusal(encodeGob(definitions, encodeList([encodeGobText('a')]))).message).toMatch(message)
  })

  test.each<[string, Buffer, RegExp]>([
    ['no kind', encodeStruct([]), /^x.type: a type definition must describe exactly one type/],
    ['two kinds', encodeStruct([emptyDescription, emptyDescription]), /exactly one type/],
    ['a field without a name', structOf([undefined]), /a field without a name/],
    ['a field name that is not UTF-8', structOf([Buffer.of(1, 0xff)]), /a field without a name/],
    ['two fields of one name', structOf([encodeGobText('A'), encodeGobText('A')]), /two fields of one name/],
  ])('a definition of %s is refused', (_title, wireType, message) => {
    expect(refusal(encodeBytes(Buffer.concat([DEFINES_64, wireType]))).message).toMatch(message)
  })

  test('bytes after a definition in its message are refused', () => {
    const definition = Buffer.concat([DEFINES_64, structOf([]), Buffer.of(0)])
    expect(refusal(encodeBytes(definition)).message).toMatch(/bytes after the end of a type definition/)
  })

  test('a field number beyond the type is refused, however large', () => {
    const type: TypeDefinition = { kind: 'struct', id: 64, name: 'T', fields: { A: STRING } }
    expect(refusal(encodeGob([type], Buffer.of(2, 0, 0))).message).toMatch(/field 1 of a struct of 1/)
    const largest = Buffer.from('f8ffffffffffffffff0000', 'hex')
    expect(refusal(encodeGob([type], largest)).message).toMatch(/field \d+ of a struct of 1/)
  })

  test('an array of another length than its type has is refused', () => {
    expect(refusal(Buffer.from('0effa1010102ffa20001060106000006ffa200020102', 'hex')).message).toMatch(
      /2 elements in an array of 3/,
    )
  })

  test('a single value without its zero byte is refused', () => {
    expect(refusal(Buffer.from('03040106', 'hex')).message).toMatch(/zero byte is missing/)
  })

  test('an interface value that is longer or shorter than it says is refused', () => {
    const honest = encodeTextInside('abc')
    for (const size of [4, 6]) {
      const lying = Buffer.from(honest)
      lying[8] = size
      const bytes = encodeGob([list(64, INTERFACE)], encodeList([lying, encodeTextInside('padding')]))
      expect(refusal(bytes).message).toMatch(/^x\[0\]: the length of an interface value is wrong/)
    }
  })

  test('errors say where: the given field, then struct fields by name and elements by number', () => {
    const type: TypeDefinition = { kind: 'struct', id: 64, name: 'T', fields: { Names: 65 } }
    const names = Buffer.concat([Buffer.of(2), encodeGobText('ok'), Buffer.of(9)])
    const error = refusal(encodeGob([type, list(65, STRING)], encodeStruct([names])), 'some.key')
    expect(error.field).toBe('some.key.Names[1]')
  })

  test('a field name that no Go struct can have is not repeated in errors', () => {
    const fields = { 'pass word': STRING }
    const bytes = encodeGob([{ kind: 'struct', id: 64, name: 'T', fields }], encodeStruct([Buffer.of(9)]))
    expect(refusal(bytes).field).toBe('x.?')
  })

  test('keys such as __proto__ are keys like any other', () => {
    const fields = { ['__proto__']: STRING, constructor: STRING }
    const bytes = encodeGob(
      [{ kind: 'struct', id: 64, name: 'T', fields }],
      encodeStruct([encodeGobText('v')]),
    )
    expect(decodeGob(bytes, 'x')).toEqual(struct({ ['__proto__']: 'v' }))
    const map: TypeDefinition = { kind: 'map', id: 64, name: '', key: STRING, element: STRING }
    const decoded = decodeGob(
      encodeGob([map], encodeMap([[encodeGobText('__proto__'), encodeGobText('v')]])),
      'x',
    )
    expect(decoded).toEqual(new Map([['__proto__', 'v']]))
  })
})

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
