import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeGob } from '../../../src/wire/gob/decode.ts'
import {
  BYTES,
  INTERFACE,
  STRING,
  encodeBytes,
  encodeGob,
  encodeList,
  encodeMap,
  encodeStruct,
  encodeGobText,
  encodeTextInside,
} from '../../../src/wire/gob/encode.ts'

describe('encoded parts', () => {
  test.each([
    ['', '00'],
    ['☕', '03e29895'],
    ['x'.repeat(127), '7f' + '78'.repeat(127)],
    ['x'.repeat(128), 'ff80' + '78'.repeat(128)],
    ['x'.repeat(256), 'fe0100' + '78'.repeat(256)],
    ['x'.repeat(65_536), 'fd010000' + '78'.repeat(65_536)],
  ])('a string has its byte length in front (%#)', (text, hex) => {
    expect(encodeGobText(text).toString('hex')).toBe(hex)
  })

  test('a struct leaves out its zero values and counts over them', () => {
    const fields = [undefined, encodeGobText('a'), undefined, undefined, encodeGobText('b')]
    expect(encodeStruct(fields).toString('hex')).toBe('02016103016200')
    expect(encodeStruct([]).toString('hex')).toBe('00')
  })

  test('a string in an interface carries its type name, type number and size, as in params-minimal', () => {
    expect(encodeTextInside('MTIz').toString('hex')).toBe('06737472696e670c0600044d54497a')
  })
})

describe('encoded streams', () => {
  test('are what Go writes for the struct Point{X, Y int} of its documentation', () => {
    const point = { kind: 'struct', id: 65, name: 'Point', fields: { X: 2, Y: 2 } } as const
    const bytes = encodeGob([point], encodeStruct([Buffer.of(0x2c), Buffer.of(0x42)]))
    expect(bytes.toString('hex')).toBe(
      '1fff8103010105506f696e7401ff820001020101580104000101590104000000' + '07ff82012c014200',
    )
  })

  test('decode to the same strings, bytes and interfaces, in the same order', () => {
    const text = fc.string({ unit: 'binary' })
    const entries = fc.array(fc.tuple(text, text))
    fc.assert(
      fc.property(entries, fc.uint8Array(), (pairs, bytes) => {
        const map = encodeMap(pairs.map(([key, value]) => [encodeGobText(key), encodeTextInside(value)]))
        const value = encodeStruct([
          encodeBytes(bytes),
          map,
          encodeList(pairs.map(([key]) => encodeGobText(key))),
        ])
        const stream = encodeGob(
          [
            { kind: 'struct', id: 64, name: 'T', fields: { Bytes: BYTES, Map: 65, List: 66 } },
            { kind: 'map', id: 65, name: '', key: STRING, element: INTERFACE },
            { kind: 'slice', id: 66, name: '', element: STRING },
          ],
          value,
        )
        const inside = (held: string) => ({ kind: 'interface', goType: 'string', value: held })
        const expected = new Map<string, unknown>([
          ['Bytes', Buffer.from(bytes)],
          ['Map', new Map(pairs.map(([key, held]) => [key, inside(held)]))],
          ['List', pairs.map(([key]) => key)],
        ])
        expect(decodeGob(stream, 'x')).toEqual({ kind: 'struct', fields: expected })
      }),
    )
  })
})
