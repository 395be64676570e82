const MARKER = Buffer.from('[REDACTED]')
export const NOTHING = Buffer.alloc(0)

/** The pending bytes followed by the new ones, and what is given out of both. */
export class OutputStream {
  readonly #pending: Buffer
  readonly #data: Buffer
  readonly #offset: number
  readonly #pieces: Buffer[] = []
  #onlyData = true

  constructor(pending: Buffer, data: Buffer, offset: number) {
    this.#pending = pending
    this.#data = data
    this.#offset = offset
  }

  mark(): void {
    this.#pieces.push(MARKER)
    this.#onlyData = false
  }

  keep(start: number, end: number): void {
    if (start < this.#offset) this.#keepPending(start, Math.min(end, this.#offset))
    if (end > this.#offset) this.#keepData(Math.max(start, this.#offset), end)
  }

  /** Copied: callers must not get the memory of texts and marker. Only a single piece of data is not. */
  bytes(): Buffer {
    const [piece] = this.#pieces
    if (piece === undefined) return NOTHING
    return this.#onlyData && this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces)
  }

  #keepPending(start: number, end: number): void {
    const pendingStart = this.#offset - this.#pending.length
    this.#pieces.push(this.#pending.subarray(start - pendingStart, end - pendingStart))
    this.#onlyData = false
  }

  #keepData(start: number, end: number): void {
    this.#pieces.push(this.#data.subarray(start - this.#offset, end - this.#offset))
  }
}
