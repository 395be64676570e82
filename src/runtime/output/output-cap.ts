import type { Chunk } from './child-output.ts'
import { isContinuation, OutputTail, type TailMemory } from './output-tail.ts'

/** The part of the cap that is sent at once. The rest is kept for the end, where errors usually are. */
const HEAD_SHARE = 1 / 5
const CHUNK_BYTES = 64 * 1024

/** Keeps the head and the tail of an output and counts what it leaves out between them. */
export class OutputCap implements Disposable {
  #headRoom: number
  /** How many bytes the head may still exceed its share by to complete a character; undefined while it has room. */
  #overrun: number | undefined
  readonly #tail: OutputTail
  readonly #tailCapacity: number
  #tailBytes = 0

  /**
   * @param bytes largest output, head and tail together, without the marker line
   * @param memory that all tails of the agent share
   */
  constructor(bytes: number, memory: TailMemory) {
    this.#headRoom = Math.floor(bytes * HEAD_SHARE)
    this.#tailCapacity = bytes - this.#headRoom
    this.#tail = new OutputTail(this.#tailCapacity, memory)
  }

  /**
   * Bytes that would be left out if the output ended now. Exact, except for the up to 3 bytes of a cut character that
   * `finish` leaves out. It may be above 0 although `exceeded` is false: when there was no memory left for the tail, or
   * the streams alternated too often.
   */
  get omitted(): number {
    return this.#tail.dropped
  }

  /** Whether the output is longer than the cap so far. Always exact, even when memory is short. */
  get exceeded(): boolean {
    return this.#tailBytes > this.#tailCapacity
  }

  /** @returns the part of the chunk that is to be sent now */
  head(chunk: Chunk): Chunk | undefined {
    const end = this.#headEnd(chunk.data)
    if (end < chunk.data.length) this.#keep({ stream: chunk.stream, data: chunk.data.subarray(end) })
    return end === 0 ? undefined : { stream: chunk.stream, data: chunk.data.subarray(0, end) }
  }

  /**
   * What is to be sent after the last chunk: the marker line if something was left out, then the tail, in chunks of at
   * most 64 KiB with memory of their own.
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

  /** How many bytes of `data` still belong to the head. A character that has begun is completed. */
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
