import { expect, it } from 'vitest'
import { split } from '../../../src/runtime/child-output.ts'

it.each([
  [0, []],
  [1, [1]],
  [65_536, [65_536]],
  [65_537, [65_536, 1]],
  [200_000, [65_536, 65_536, 65_536, 3392]],
])('%i bytes of output go out in pieces of 64 KiB at most, in order', (length, expected) => {
  const data = Buffer.from(Array.from({ length }, (_, at) => at % 251))
  const pieces = [...split({ stream: 'stderr', data })]
  expect(pieces.map((piece) => piece.data.length)).toEqual(expected)
  expect(pieces.every(({ stream }) => stream === 'stderr')).toBe(true)
  expect(Buffer.concat(pieces.map((piece) => piece.data)).equals(data)).toBe(true)
})
