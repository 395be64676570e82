/** A longer statement is recorded up to here. */
const MAX_STATEMENT_BYTES = 16 * 1024

/** Collects the content of one message with a statement, as far as it is recorded. */
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

  /** Returns the text; a cut text also gets its number of bytes. */
  said(text: string, isWhole = this.#bytes <= MAX_STATEMENT_BYTES): string {
    return isWhole ? text : `${text}... (${this.#bytes} bytes)`
  }

  clear(): void {
    this.#pieces = []
    this.#keptBytes = 0
    this.#bytes = 0
  }
}
