/** A longer statement is recorded as far as this. */
const MAX_STATEMENT_BYTES = 16 * 1024

/** The content of one message with a statement, piece by piece, as far as it is recorded. */
export class StatementText {
  #pieces: Buffer[] = []
  #keptBytes = 0
  #bytes = 0

  add(content: Buffer): void {
    this.#bytes += content.length
    const room = content.subarray(0, MAX_STATEMENT_BYTES - this.#keptBytes)
    if (room.length === 0) return
    // A copy, since the rest of the packet need not be kept.
    this.#pieces.push(Buffer.from(room))
    this.#keptBytes += room.length
  }

  get kept(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  /** The text, with how many bytes there were where it is cut. */
  said(text: string, isWhole = this.#bytes <= MAX_STATEMENT_BYTES): string {
    return isWhole ? text : `${text}... (${this.#bytes} bytes)`
  }

  clear(): void {
    this.#pieces = []
    this.#keptBytes = 0
    this.#bytes = 0
  }
}
