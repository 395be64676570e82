import { expect, it } from 'vitest'
import { encodeMaskingFailure } from '../../../src/wire/messages/masking-info.ts'

it('a failure of masking is written as Go reads it into the structure of hoop, whatever the length of its text', () => {
  // Decoded by github.com/vmihailenco/msgpack/v5 into the structure, with the same text as its error.
  const short =
    '81a56974656d739183b17472616e73666f726d65645f627974657300b67472616e73666f726d6174696f6e5f73756d6d61727990a3657272'
  expect(encodeMaskingFailure('no').toString('hex')).toBe(`${short}a26e6f`)
  expect(encodeMaskingFailure('x'.repeat(300)).toString('hex')).toBe(`${short}da012c${'78'.repeat(300)}`)
})
