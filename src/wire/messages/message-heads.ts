/**
 * Finds heads of messages in bytes that are passed on unchanged, without an object per message. Every message
 * begins with a head of the same size, which contains the message's length.
 */
export class MessageHeads {
  readonly #head: Buffer
  readonly #contentBytes: (head: Buffer) => number
  #headBytes = 0
  /** Bytes of the current message that are still to come. */
  #left = 0

  /** `contentBytes` gets each whole head, and returns the bytes of the message after it. */
  constructor(headBytes: number, contentBytes: (head: Buffer) => number) {
    this.#head = Buffer.alloc(headBytes)
    this.#contentBytes = contentBytes
  }

  /** The last complete head. */
  get head(): Buffer {
    return this.#head
  }

  /** Whether the next byte begins a message. */
  get isBetween(): boolean {
    return this.#left === 0 && this.#headBytes === 0
  }

  /** Throws the errors of `contentBytes`. */
  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#left > 0) {
        const passed = Math.min(this.#left, bytes.length - at)
        this.#left -= passed
        at += passed
        continue
      }
      // Copies single bytes. A head has so few bytes that a call of `copy` would take longer.
      this.#head[this.#headBytes] = bytes[at] ?? 0
      this.#headBytes += 1
      at += 1
      if (this.#headBytes < this.#head.length) continue
      this.#headBytes = 0
      this.#left = this.#contentBytes(this.#head)
    }
  }
}
