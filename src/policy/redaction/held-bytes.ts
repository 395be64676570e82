const FIRST_CAPACITY = 64

/** A queue of bytes: the end of a stream that is held back. */
export class HeldBytes {
  #buffer = Buffer.alloc(0)
  #start = 0
  #end = 0

  /** Valid until the next change. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end)
  }

  /** Keeps the last `count` bytes of what is held and the data after it. */
  keepLast(count: number, data: Buffer): void {
    this.#start = Math.max(this.#start, this.#end + data.length - count)
    const added = data.subarray(Math.max(0, data.length - count))
    if (this.#start >= this.#end) this.#start = this.#end = 0
    if (added.length === 0) return this.#shrink()
    if (this.#end + added.length > this.#buffer.length) this.#move(this.#end - this.#start + added.length)
    this.#end += added.copy(this.#buffer, this.#end)
  }

  /** Moves the bytes to the front of a buffer twice as large as needed, so that this does not happen each time. */
  #move(needed: number): void {
    const buffer = Buffer.alloc(Math.max(FIRST_CAPACITY, needed * 2))
    this.#end = this.bytes.copy(buffer)
    this.#start = 0
    this.#buffer = buffer
  }

  /** Gives memory back: a stream that holds nothing should cost nothing. */
  #shrink(): void {
    if (this.#end === 0) this.#buffer = Buffer.alloc(0)
  }
}
