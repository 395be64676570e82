import type { OnReadOpts } from 'node:net'

const BUFFER_BYTES = 64 * 1024
/** For a read of this size or more, a new buffer costs less than a copy of the bytes. */
const LARGE_BYTES = 16 * 1024

/**
 * Returns the options of a socket that reads into one buffer. A small read is copied. After a large read,
 * `take` keeps the buffer, and the socket gets a new buffer. Reading by events would cost more: each read
 * would allocate 64 KiB, and give back what it has not filled.
 * @param take gets bytes that nobody overwrites
 */
export function readsInto(take: (bytes: Buffer) => void): OnReadOpts {
  // The buffer does not come from Node's pool, because other buffers share the memory of the pool.
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
