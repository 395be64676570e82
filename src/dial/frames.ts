import { MAX_MESSAGE_BYTES } from '../wire/packet.ts'

/** Before each message of gRPC: whether it is compressed, and its length. */
export const FRAME_BYTES = 5
const LENGTH_AT = 1

/** Below this size a message is copied: a view would keep the whole chunk in memory, for some bytes of it. */
const LARGE_BYTES = 16 * 1024

/** Fills in what stands before a message. @param bytes with `FRAME_BYTES` left free before the message */
export function framed(bytes: Buffer): Buffer {
  bytes[0] = 0
  bytes.writeUInt32BE(bytes.length - FRAME_BYTES, LENGTH_AT)
  return bytes
}

/** Bytes that are no message of gRPC that this program takes. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

/** Takes the messages out of the bytes of a stream. */
export class MessageReader {
  readonly #frame = Buffer.alloc(FRAME_BYTES)
  #frameBytes = 0
  #parts: Buffer[] = []
  #missing = 0

  /** @returns the messages that are complete now @throws FrameError */
  take(chunk: Buffer): Buffer[] {
    const messages: Buffer[] = []
    for (let at = 0; at < chunk.length;) {
      if (this.#frameBytes < FRAME_BYTES) {
        at += this.#takeFrame(chunk, at)
        if (this.#frameBytes < FRAME_BYTES) break
        this.#missing = this.#length()
      }
      const part = chunk.subarray(at, at + this.#missing)
      at += part.length
      this.#missing -= part.length
      this.#parts.push(part)
      if (this.#missing === 0) messages.push(this.#complete())
    }
    return messages
  }

  #takeFrame(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.#frame, this.#frameBytes, at)
    this.#frameBytes += copied
    return copied
  }

  #length(): number {
    const length = this.#frame.readUInt32BE(LENGTH_AT)
    if (length > MAX_MESSAGE_BYTES)
      throw new FrameError(`Received message larger than max (${length} vs ${MAX_MESSAGE_BYTES})`)
    if (this.#frame[0] !== 0) throw new FrameError('Received a compressed message')
    return length
  }

  #complete(): Buffer {
    const [part = Buffer.alloc(0)] = this.#parts
    const isView = this.#parts.length === 1 && part.length >= LARGE_BYTES
    const message = isView ? part : Buffer.concat(this.#parts)
    this.#parts = []
    this.#frameBytes = 0
    return message
  }
}
