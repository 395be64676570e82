import type { WindowSize } from '../../basics/window-size.ts'
import { DecodeError } from '../errors.ts'

/** `rows,cols,x,y` in decimal, x and y in pixels and unused; each cut to 16 bits, as hoop does. @throws DecodeError */
export function decodeWindowSize(payload: Buffer): WindowSize {
  const sizes = payload.toString('latin1', 0, 64).split(',')
  if (sizes.length !== 4 || !sizes.every((size) => /^\d{1,9}$/.test(size))) {
    throw new DecodeError('payload', 'a window size is rows,cols,x,y')
  }
  const [rows = 0, cols = 0] = sizes.map((size) => Number(size) & 0xffff)
  return { rows, cols }
}

export function encodeWindowSize({ rows, cols }: WindowSize): Buffer {
  return Buffer.from(`${rows},${cols},0,0`)
}
