import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64 } from '../../../src/golang/text/base64.ts'

/** Made with base64.StdEncoding.DecodeString of Go 1.26: the decoded bytes in hex, or the error's text. */
const GOLDEN: readonly (readonly [encoded: string, result: string | { readonly hex: string }])[] = [
  ['', { hex: '' }],
  ['\n', { hex: '' }],
  ['\r\n\r\n', { hex: '' }],
  ['aGVsbG8=', { hex: '68656c6c6f' }],
  ['aGVsbG8', 'illegal base64 data at input byte 4'],
  ['aGVsbG8==', 'illegal base64 data at input byte 8'],
  ['aGVsbG8=\n', { hex: '68656c6c6f' }],
  ['aGVs\nbG8=', { hex: '68656c6c6f' }],
  ['aGVs\r\nbG8=\r\n', { hex: '68656c6c6f' }],
  ['aGVsbG8\n=', { hex: '68656c6c6f' }],
  ['YQ==', { hex: '61' }],
  ['YQ=', 'illegal base64 data at input byte 3'],
  ['YQ', 'illegal base64 data at input byte 0'],
  ['Y', 'illegal base64 data at input byte 0'],
  ['Y===', 'illegal base64 data at input byte 1'],
  ['Y=', 'illegal base64 data at input byte 1'],
  ['=', 'illegal base64 data at input byte 0'],
  ['==', 'illegal base64 data at input byte 0'],
  ['====', 'illegal base64 data at input byte 0'],
  ['YQ=\n=', { hex: '61' }],
  ['YQ=\r\n', 'illegal base64 data at input byte 5'],
  ['YQ==\n\n', { hex: '61' }],
  ['YQ==YQ==', 'illegal base64 data at input byte 4'],
  ['YQ== ', 'illegal base64 data at input byte 4'],
  ['YQ=a', 'illegal base64 data at input byte 2'],
  ['YQ=\na', 'illegal base64 data at input byte 3'],
  ['YWI=YWI=', 'illegal base64 data at input byte 4'],
  ['YWI==', 'illegal base64 data at input byte 4'],
  ['YWI=\n=', 'illegal base64 data at input byte 5'],
  ['YWI=x', 'illegal base64 data at input byte 4'],
  ['%%%', 'illegal base64 data at input byte 0'],
  ['a%GVs', 'illegal base64 data at input byte 1'],
  ['aG%s', 'illegal base64 data at input byte 2'],
  ['aGV%', 'illegal base64 data at input byte 3'],
  ['aGVsbG8h%', 'illegal base64 data at input byte 8'],
  [' aGVs', 'illegal base64 data at input byte 0'],
  ['aG Vs', 'illegal base64 data at input byte 2'],
  ['aGVs\t', 'illegal base64 data at input byte 4'],
  ['aGVs\nY', 'illegal base64 data at input byte 5'],
  ['aGVs\nYQ', 'illegal base64 data at input byte 5'],
  ['aGVs\nYQ\n', 'illegal base64 data at input byte 6'],
  ['aGVs\nY\nQ\n=', 'illegal base64 data at input byte 10'],
  ['aGVs\nYWI', 'illegal base64 data at input byte 5'],
  ['-_-_', 'illegal base64 data at input byte 0'],
  ['+/+/', { hex: 'fbffbf' }],
  ['ab-d', 'illegal base64 data at input byte 2'],
  ['é', 'illegal base64 data at input byte 0'],
  ['aé==', 'illegal base64 data at input byte 1'],
  ['aGVsé', 'illegal base64 data at input byte 4'],
  ['aGVs💥', 'illegal base64 data at input byte 4'],
  ['YR==', { hex: '61' }],
  ['YWJ=', { hex: '6162' }],
  ['a\u0000bc', 'illegal base64 data at input byte 1'],
  ['YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=', { hex: '6162636465666768696a6b6c6d6e6f707172737475767778797a' }],
  ['YWJjZGVmZ2hp!mtsbW5vcHFyc3R1dnd4eXo=', 'illegal base64 data at input byte 12'],
  ['YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo', 'illegal base64 data at input byte 32'],
  ['Y\nW\nJ\nj', { hex: '616263' }],
  ['Y\nQ\n=\n=\n', { hex: '61' }],
  ['\nYQ==', { hex: '61' }],
  ['\n\n%', 'illegal base64 data at input byte 2'],
  ['_aws:id:key', 'illegal base64 data at input byte 0'],
  ['plain text', 'illegal base64 data at input byte 5'],
  ['cGFzcw==cGFzcw==', 'illegal base64 data at input byte 8'],
  ['QUJD\rREVG', { hex: '414243444546' }],
]

describe('decodeBase64', () => {
  test.each(GOLDEN)('gives what Go gives for %j', (encoded, result) => {
    const { bytes, problem } = decodeBase64(encoded)
    expect(problem ?? { hex: bytes.toString('hex') }).toEqual(result)
  })

  test('gives back any bytes that were encoded, wherever lines are broken', () => {
    const breaks = fc.array(fc.tuple(fc.nat(400), fc.constantFrom('\n', '\r', '\r\n')), { maxLength: 10 })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), breaks, (bytes, places) => {
        let encoded = Buffer.from(bytes).toString('base64')
        for (const [at, lineBreak] of places) encoded = encoded.slice(0, at) + lineBreak + encoded.slice(at)
        expect(decodeBase64(encoded).bytes).toEqual(Buffer.from(bytes))
      }),
    )
  })

  test('reports an offset inside the input or at its end for anything else', () => {
    const text = fc.string({ unit: fc.constantFrom('A', 'Q', '=', '\n', '\r', '%', 'é', '-', ' ') })
    fc.assert(
      fc.property(text, (encoded) => {
        const offset = decodeBase64(encoded).problem?.replace('illegal base64 data at input byte ', '') ?? '0'
        expect(offset).toMatch(/^\d+$/)
        expect(Number(offset)).toBeLessThanOrEqual(Buffer.byteLength(encoded))
      }),
    )
  })
})
