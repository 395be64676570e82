import fc from 'fast-check'
import { describe, test } from 'vitest'
import { DecodeError } from '../../../src/wire/packet.ts'
import { decodeGob } from '../../../src/wire/gob/decode.ts'
import { decodeParams, decodeStringList, decodeStringMap } from '../../../src/wire/params.ts'
import { vectorBytes, vectorNames } from './vectors.ts'

// params-big is left out: nearly all of its bytes are a secret's text, where a change changes nothing.
const ORIGINALS = vectorNames('')
  .filter((name) => name !== 'params-big')
  .map(vectorBytes)

const RUNS = { numRuns: 1000 }

/** Decodes with every decoder; fails the test when one throws anything but a DecodeError. */
function decodeEveryWay(bytes: Uint8Array): void {
  const ways = [
    () => decodeGob(bytes, 'x'),
    () => decodeParams(bytes),
    () => decodeStringList(bytes, 'x'),
    () => decodeStringMap(bytes, 'x'),
  ]
  for (const way of ways) {
    try {
      way()
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
    }
  }
}

const original = fc.constantFrom(...ORIGINALS)
const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const at = (bytes: Uint8Array, where: number) => Math.floor(where * bytes.length)

describe('damaged streams give a value or a DecodeError, nothing else', () => {
  test('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), decodeEveryWay), RUNS)
  })

  test('random bytes as the value of a real type', () => {
    fc.assert(
      fc.property(original, fc.uint8Array({ maxLength: 100 }), (bytes, tail) => {
        const start = startOfLastMessage(bytes)
        const typeNumber = bytes.subarray(start + prefixLength(bytes, start)).subarray(0, 2)
        const message = Buffer.concat([typeNumber, tail])
        decodeEveryWay(Buffer.concat([bytes.subarray(0, start), Buffer.of(message.length), message]))
      }),
      RUNS,
    )
  })

  test('flipped bits', () => {
    const flips = fc.array(fc.tuple(position, fc.integer({ min: 0, max: 7 })), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(original, flips, (bytes, changes) => {
        const damaged = Buffer.from(bytes)
        for (const [where, bit] of changes) {
          const index = at(damaged, where)
          damaged.writeUInt8(damaged.readUInt8(index) ^ (1 << bit), index)
        }
        decodeEveryWay(damaged)
      }),
      RUNS,
    )
  })

  test('streams cut short', () => {
    fc.assert(
      fc.property(original, position, (bytes, where) => decodeEveryWay(bytes.subarray(0, at(bytes, where)))),
      RUNS,
    )
  })

  test('the start of one stream with the end of another', () => {
    fc.assert(
      fc.property(original, position, original, position, (first, end, second, start) => {
        decodeEveryWay(Buffer.concat([first.subarray(0, at(first, end)), second.subarray(at(second, start))]))
      }),
      RUNS,
    )
  })

  test('bytes replaced by enormous lengths', () => {
    const lengths = fc.constantFrom(
      '7f',
      'ff80',
      'fe7fff',
      'fcffffffff',
      'fa010000000000',
      'f8ffffffffffffffff',
    )
    fc.assert(
      fc.property(original, position, lengths, (bytes, where, length) => {
        const index = at(bytes, where)
        const parts = [bytes.subarray(0, index), Buffer.from(length, 'hex'), bytes.subarray(index + 1)]
        decodeEveryWay(Buffer.concat(parts))
      }),
      RUNS,
    )
  })
})

/** How many bytes the length at this offset takes. */
function prefixLength(bytes: Buffer, offset: number): number {
  const first = bytes.readUInt8(offset)
  return first < 0x80 ? 1 : 0x101 - first
}

/** Where the message of the value starts, behind those with definitions. */
function startOfLastMessage(bytes: Buffer): number {
  let start = 0
  for (;;) {
    const prefix = prefixLength(bytes, start)
    const size = prefix === 1 ? bytes.readUInt8(start) : bytes.readUIntBE(start + 1, prefix - 1)
    const next = start + prefix + size
    if (next >= bytes.length) return start
    start = next
  }
}
