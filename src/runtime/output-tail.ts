import type { Chunk } from './child.ts'

const NOTHING = Buffer.alloc(0)

/**
 * Minimum memory of a tail in bytes, even if the shared memory is used up. A tail with a small capacity has
 * only an eighth of its capacity as minimum.
 */
const MIN_BYTES = 64 * 1024
/**
 * Maximum number of changes between stdout and stderr in a tail. Above this number, the oldest bytes are
 * dropped.
 */
const MAX_RUNS = 65_536

/** The memory that the tails of all capped outputs share. */
export class TailMemory {
  readonly #limit: number
  #used = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get used(): number {
    return this.#used
  }

  /** Returns false and takes nothing if there is not enough memory. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#limit) return false
    this.#used += bytes
    return true
  }

  takeBeyondLimit(bytes: number): void {
    this.#used += bytes
  }

  giveBack(bytes: number): void {
    this.#used -= bytes
  }
}

/** Consecutive bytes of one stream. */
interface Run {
  readonly stream: Chunk['stream']
  length: number
}

/**
 * The last `capacity` bytes of a sequence of chunks, in a ring buffer. The ring doubles its size when needed.
 * If the shared memory is used up, the ring keeps its size, and the tail is shorter.
 */
export class OutputTail implements Disposable {
  #capacity: number
  readonly #memory: TailMemory
  #ring = NOTHING
  /** Position of the oldest byte. */
  #start = 0
  #length = 0
  /**
   * Runs from the oldest to the newest, from `#firstRun` on. Removing the first element of the list for every
   * byte would take quadratic time.
   */
  #runs: Run[] = []
  #firstRun = 0
  #dropped = 0

  constructor(capacity: number, memory: TailMemory) {
    this.#capacity = capacity
    this.#memory = memory
  }

  /** Number of old bytes that newer bytes have replaced. */
  get dropped(): number {
    return this.#dropped
  }

  push({ stream, data }: Chunk): void {
    if (data.length === 0 || this.#capacity === 0) return
    this.#grow(this.#length + data.length)
    const kept = data.subarray(Math.max(0, data.length - this.#ring.length))
    this.#dropFirst(Math.max(0, this.#length + kept.length - this.#ring.length))
    this.#dropped += data.length - kept.length
    const copied = kept.copy(this.#ring, (this.#start + this.#length) % this.#ring.length)
    kept.copy(this.#ring, 0, copied)
    this.#length += kept.length
    this.#remember(stream, kept.length)
    if (this.#runs.length - this.#firstRun > MAX_RUNS) this.#dropFirst(this.#oldestRun()?.length ?? 0)
  }

  /** Drops up to 3 bytes at the beginning that belong to a character whose first byte was dropped. */
  dropPartialCharacter(): void {
    for (let count = 0; count < 3 && this.#length > 0; count++) {
      if (!isContinuation(this.#ring[this.#start])) return
      this.#dropFirst(1)
    }
  }

  /**
   * Removes and yields the bytes in order. The chunks have at most `size` bytes, and their memory is not
   * shared.
   */
  *take(size: number): Generator<Chunk> {
    for (let run = this.#oldestRun(); run !== undefined; run = this.#oldestRun()) {
      const data = Buffer.allocUnsafeSlow(Math.min(run.length, size))
      this.#copyTo(data)
      const { stream } = run
      this.#remove(data.length)
      yield { stream, data }
    }
  }

  /** The tail stays empty afterwards. */
  [Symbol.dispose](): void {
    this.#memory.giveBack(this.#ring.length)
    this.#ring = NOTHING
    this.#capacity = 0
    this.#length = 0
    this.#runs = []
    this.#firstRun = 0
  }

  /**
   * Makes the ring larger. The copy needs memory for both rings, but only one output grows at a time. The
   * memory is not from Node's pool, because other code shares this pool.
   */
  #grow(wanted: number): void {
    const least = Math.min(MIN_BYTES, Math.ceil(this.#capacity / 8))
    while (this.#ring.length < Math.min(wanted, this.#capacity)) {
      const size = Math.min(this.#capacity, Math.max(least, 2 * this.#ring.length))
      if (this.#ring.length === 0) this.#memory.takeBeyondLimit(size)
      else if (!this.#memory.take(size - this.#ring.length)) return
      const larger = Buffer.allocUnsafeSlow(size)
      this.#copyTo(larger)
      this.#ring = larger
      this.#start = 0
    }
  }

  /** Starts at the oldest byte. */
  #copyTo(target: Buffer): void {
    const copied = this.#ring.copy(target, 0, this.#start)
    this.#ring.copy(target, copied, 0, this.#start)
  }

  #dropFirst(count: number): void {
    this.#dropped += count
    this.#remove(count)
  }

  #remove(count: number): void {
    this.#start = (this.#start + count) % this.#ring.length
    this.#length -= count
    let left = count
    for (let run = this.#oldestRun(); run !== undefined && left > 0; run = this.#oldestRun()) {
      const taken = Math.min(left, run.length)
      run.length -= taken
      left -= taken
      if (run.length === 0) this.#firstRun += 1
    }
    if (this.#firstRun < MAX_RUNS) return
    this.#runs = this.#runs.slice(this.#firstRun)
    this.#firstRun = 0
  }

  #oldestRun(): Run | undefined {
    return this.#runs[this.#firstRun]
  }

  #remember(stream: Chunk['stream'], length: number): void {
    const last = this.#runs.at(-1)
    if (last?.stream === stream && last.length > 0) last.length += length
    else this.#runs.push({ stream, length })
  }
}

/** Whether the byte is inside a UTF-8 character: 10xxxxxx. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

/**
 * Share of the head. The head is sent immediately. The tail has the larger share, because errors are usually
 * at the end.
 */
const HEAD_SHARE = 1 / 5
const CHUNK_BYTES = 64 * 1024

/** Keeps the head and the tail of an output and counts the bytes that it leaves out between them. */
export class OutputCap implements Disposable {
  #headRoom: number
  /**
   * Number of bytes beyond its share that the head may still add to complete a character. Undefined while the
   * head is below its share.
   */
  #overrun: number | undefined
  readonly #tail: OutputTail
  readonly #tailCapacity: number
  #tailBytes = 0

  /** @param bytes maximum size of head and tail together, without the marker line */
  constructor(bytes: number, memory: TailMemory) {
    this.#headRoom = Math.floor(bytes * HEAD_SHARE)
    this.#tailCapacity = bytes - this.#headRoom
    this.#tail = new OutputTail(this.#tailCapacity, memory)
  }

  /**
   * Number of bytes that are left out if the output ends now. `finish` may leave out up to 3 more bytes of a
   * cut character. The number may be above 0 while `exceeded` is false: the tail got too little memory, or
   * the streams alternated too often.
   */
  get omitted(): number {
    return this.#tail.dropped
  }

  /** Whether the output so far is longer than the cap. Always exact, even if memory is short. */
  get exceeded(): boolean {
    return this.#tailBytes > this.#tailCapacity
  }

  /** Returns the part of the chunk that has to be sent now, and keeps the rest for the tail. */
  head(chunk: Chunk): Chunk | undefined {
    const end = this.#headEnd(chunk.data)
    if (end < chunk.data.length) this.#keep({ stream: chunk.stream, data: chunk.data.subarray(end) })
    return end === 0 ? undefined : { stream: chunk.stream, data: chunk.data.subarray(0, end) }
  }

  /**
   * Yields the marker line if bytes were left out, and then the tail. The chunks have at most 64 KiB, and
   * their memory is not shared.
   */
  *finish(): Generator<Chunk> {
    if (this.#tail.dropped > 0) {
      this.#tail.dropPartialCharacter()
      yield marker(this.#tail.dropped)
    }
    yield* this.#tail.take(CHUNK_BYTES)
  }

  [Symbol.dispose](): void {
    this.#tail[Symbol.dispose]()
  }

  #keep(chunk: Chunk): void {
    this.#tailBytes += chunk.data.length
    this.#tail.push(chunk)
  }

  /** Returns how many bytes of `data` still belong to the head, which ends after a complete character. */
  #headEnd(data: Buffer): number {
    if (this.#overrun === undefined) {
      if (data.length <= this.#headRoom) {
        this.#headRoom -= data.length
        return data.length
      }
      this.#overrun = 3
    }
    let end = this.#headRoom
    while (this.#overrun > 0 && end < data.length && isContinuation(data[end])) {
      end += 1
      this.#overrun -= 1
    }
    this.#headRoom = 0
    if (end < data.length) this.#overrun = 0
    return end
  }
}

function marker(bytes: number): Chunk {
  return { stream: 'stderr', data: Buffer.from(`\n[... ${bytes} bytes of output left out ...]\n`) }
}
