/** Longest text of one call. */
export const PIECE_BYTES = 64 * 1024
/** How much of a piece without an end of line is looked at again with what follows: what it begins may be cut. */
export const OVERLAP_BYTES = 1024

/** Cuts a stream into whole lines, at most 64 KiB together. Only a longer line is cut. */
export class Pieces {
  #rest: Buffer = Buffer.alloc(0)

  /** Bytes that wait for the end of their line. */
  get held(): number {
    return this.#rest.length
  }

  add(data: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, data])
  }

  /** The next piece; undefined when the line is not whole. */
  next(): Buffer | undefined {
    const end = this.#rest.lastIndexOf(0x0a, PIECE_BYTES - 1) + 1
    if (end > 0) return this.#take(end)
    return this.#rest.length < PIECE_BYTES ? undefined : this.#take(PIECE_BYTES)
  }

  /** What is left when the stream has ended. */
  last(): Buffer {
    return this.#take(this.#rest.length)
  }

  /** Puts the end of a piece back: the next piece begins with it. */
  putBack(data: Buffer): void {
    this.#rest = Buffer.concat([data, this.#rest])
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return taken
  }
}
