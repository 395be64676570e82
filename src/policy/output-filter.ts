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

/** Looks through one stream of output and gives on what may be shown. */
export interface OutputFilter {
  /** Bytes that came and are not given on yet. */
  readonly held: number
  /** Whether `release` would give something out now: what is held may be shown after a short wait. */
  readonly isReleasable: boolean
  /** @returns what may go out now. It may share the memory of `data`, and is valid until the next call */
  push(data: Buffer): Buffer | Promise<Buffer>
  release(): Buffer
  /** The rest, when the stream has ended. */
  end(): Buffer | Promise<Buffer>
}

/** Why a policy has stopped an output. */
export type StopReason = 'guardrails' | 'masking'

/** A filter throws it when nothing more of the output may leave. The command is ended then. */
export class OutputStopped extends Error {
  override readonly name = 'OutputStopped'
  readonly reason: StopReason

  constructor(reason: StopReason, message: string) {
    super(message)
    this.reason = reason
  }
}
