const FIRST_CAPACITY = 64

/** The last bytes of a stream, which are held back. */
export class HeldBytes {
  #buffer = Buffer.alloc(0)
  #start = 0
  #end = 0

  /** The view is valid until the next change. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end)
  }

  /** Keeps the last `count` bytes of the held bytes followed by `data`. */
  keepLast(count: number, data: Buffer): void {
    this.#start = Math.max(this.#start, this.#end + data.length - count)
    const added = data.subarray(Math.max(0, data.length - count))
    if (this.#start >= this.#end) this.#start = this.#end = 0
    if (added.length === 0) return this.#shrink()
    if (this.#end + added.length > this.#buffer.length) this.#move(this.#end - this.#start + added.length)
    this.#end += added.copy(this.#buffer, this.#end)
  }

  /** Makes the buffer twice as large as needed, so that most calls of `keepLast` move nothing. */
  #move(needed: number): void {
    const buffer = Buffer.alloc(Math.max(FIRST_CAPACITY, needed * 2))
    this.#end = this.bytes.copy(buffer)
    this.#start = 0
    this.#buffer = buffer
  }

  #shrink(): void {
    if (this.#end === 0) this.#buffer = Buffer.alloc(0)
  }
}

const MARKER = Buffer.from('[REDACTED]')
export const NOTHING = Buffer.alloc(0)

/** Builds the output from the pending bytes and the new bytes. */
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

  /**
   * Returns a copy of the output, or the piece itself if the output is a single piece of new data. The result
   * never shares the memory of held bytes or of the marker.
   */
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

/** Searches one stream of output and returns what may be shown. */
export interface OutputFilter {
  /** Number of received bytes that are not returned yet. */
  readonly held: number
  /** Whether `release` would return bytes now. */
  readonly isReleasable: boolean
  /**
   * Returns the output that can be sent now. The output may share the memory of `data`, and is valid until
   * the next call.
   */
  push(data: Buffer): Buffer | Promise<Buffer>
  release(): Buffer
  /** Returns the rest of the output. */
  end(): Buffer | Promise<Buffer>
}

export type StopReason = 'guardrails' | 'masking'

/** Thrown when no more output may be sent. The agent then ends the command. */
export class OutputStopped extends Error {
  override readonly name = 'OutputStopped'
  readonly reason: StopReason

  constructor(reason: StopReason, message: string) {
    super(message)
    this.reason = reason
  }
}
