import type { OnReadOpts } from 'node:net'

const BUFFER_BYTES = 64 * 1024
/** From this size on, a new buffer costs less than the copy. */
const LARGE_BYTES = 16 * 1024

/**
 * Options of a socket that reads into one buffer. Small reads are copied, and a large read takes the buffer
 * with it. Events of a socket cost more: each read allocates 64 KiB and returns what it has not filled.
 * @param take gets bytes that nobody overwrites
 */
export function readsInto(take: (bytes: Buffer) => void): OnReadOpts {
  // Not from the pool, whose memory other buffers share.
  let buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  return {
    buffer: () => buffer,
    callback: (length) => {
      if (length >= LARGE_BYTES) {
        const filled = buffer.subarray(0, length)
        buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
        take(filled)
      } else {
        const copy = Buffer.allocUnsafe(length)
        buffer.copy(copy, 0, 0, length)
        take(copy)
      }
      return true
    },
  }
}
