import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeMaskedOutput, encodeMaskedOutput } from '../../../src/wire/messages/masking-info.ts'

const nothing = { bytes: 0, counts: new Map<string, number>(), errors: [] }

it('a failure of masking is written as Go reads it into the structure of hoop, whatever the length of its text', () => {
  // Decoded by github.com/vmihailenco/msgpack/v5 into the structure, with the same text as its error.
  const short =
    '81a56974656d739183b17472616e73666f726d65645f627974657300b67472616e73666f726d6174696f6e5f73756d6d61727990a3657272'
  const failure = (error: string) => encodeMaskedOutput({ ...nothing, errors: [error] }).toString('hex')
  expect(failure('no')).toBe(`${short}a26e6f`)
  expect(failure('x'.repeat(300))).toBe(`${short}da012c${'78'.repeat(300)}`)
})

// One of hoop's structure, written by that package: two types, one of them with an error, and a failed item.
const GO =
  '81a56974656d739283b17472616e73666f726d65645f6279746573d30000000000011170b67472616e73666f726d6174696f6e5f73756d6d6172799283a9696e666f5f74797065ad454d41494c5f41444452455353a56669656c64a0a7726573756c74739383a5636f756e74d30000000000000003a4636f6465a753554343455353a764657461696c73a083a5636f756e74d300000000000000c8a4636f6465a753554343455353a764657461696c73a083a5636f756e74d30000000000000009a4636f6465a54552524f52a764657461696c73a17883a9696e666f5f74797065ac50484f4e455f4e554d424552a56669656c64a166a7726573756c74739183a5636f756e74d3000000000000012ca4636f6465a753554343455353a764657461696c73a0a3657272c083b17472616e73666f726d65645f6279746573d30000000000000000b67472616e73666f726d6174696f6e5f73756d6d617279c0a3657272d93d6e6f20616e737765722077697468696e2066697665207365636f6e64732c20616e64206974206973206c6f6e676572207468616e203332206279746573'

it('what masking did is read as Go writes it: bytes, how often each type was replaced, errors', () => {
  expect(decodeMaskedOutput(Buffer.from(GO, 'hex'))).toEqual({
    bytes: 70_000,
    counts: new Map([
      ['EMAIL_ADDRESS', 203],
      ['PHONE_NUMBER', 300],
    ]),
    errors: ['no answer within five seconds, and it is longer than 32 bytes'],
  })
})

it('what was masked is written with SUCCESS and no error, and is read back as it was', () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 40),
      fc.array(fc.tuple(fc.stringMatching(/^[A-Z_]{1,40}$/), fc.integer({ min: 1, max: 100_000 })), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.array(fc.string({ minLength: 1, maxLength: 70_000 }), { maxLength: 2 }),
      (bytes, counts, errors) => {
        const masked = { bytes, counts: new Map(counts), errors }
        expect(decodeMaskedOutput(encodeMaskedOutput(masked))).toEqual(masked)
      },
    ),
  )
})

it('what an agent sends in its place counts as nothing, whatever it is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(600), fc.nat(255), (noise, at, byte) => {
      expect(decodeMaskedOutput(Buffer.from(noise)).bytes).toBeGreaterThanOrEqual(0)
      const broken = Buffer.from(GO, 'hex')
      broken[at % broken.length] = byte
      expect(decodeMaskedOutput(broken.subarray(0, at)).errors.length).toBeLessThan(3)
    }),
  )
  for (const value of ['', 'c0', '93', '91'.repeat(100_000), 'dfffffffff', '81a56974656d73dd7fffffff'])
    expect(decodeMaskedOutput(Buffer.from(value, 'hex'))).toEqual(nothing)
})
