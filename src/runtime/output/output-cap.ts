import type { Chunk } from './child-output.ts'
import { isContinuation, TailRing } from './tail-ring.ts'
import type { TailSpace } from './tail-space.ts'

/** Part of the cap that goes out as it comes; the rest is kept for the end, where the error usually stands. */
const HEAD_SHARE = 1 / 5
const CHUNK_BYTES = 64 * 1024

/** Keeps the head and the tail of an output and counts what it leaves out between them. */
export class OutputCap implements Disposable {
  #headRoom: number
  /** How many bytes the head may still overrun its share to complete a character; undefined while it has room. */
  #overrun: number | undefined
  readonly #tail: TailRing
  readonly #tailCapacity: number
  #tailBytes = 0

  /** @param bytes largest output, head and tail together, the marker line not counted
   * @param space what all tails of the agent have together */
  constructor(bytes: number, space: TailSpace) {
    this.#headRoom = Math.floor(bytes * HEAD_SHARE)
    this.#tailCapacity = bytes - this.#headRoom
    this.#tail = new TailRing(this.#tailCapacity, space)
  }

  /**
   * Bytes left out if the output ended now, exact but for the up to 3 of a cut character that `finish` leaves out, and
   * those of a file it cannot read. More than 0 also without `exceeded`: when the tail got neither memory nor a file, or
   * the streams alternated too often.
   */
  get omitted(): number {
    return this.#tail.dropped
  }

  /** Whether the output is longer than the cap by now. Exact while it comes; a lack of memory or disk changes nothing. */
  get exceeded(): boolean {
    return this.#tailBytes > this.#tailCapacity
  }

  /** @returns the part of the chunk that goes out now */
  head(chunk: Chunk): Chunk | undefined {
    const end = this.#headEnd(chunk.data)
    if (end < chunk.data.length) this.#keep({ stream: chunk.stream, data: chunk.data.subarray(end) })
    return end === 0 ? undefined : { stream: chunk.stream, data: chunk.data.subarray(0, end) }
  }

  /**
   * What goes out after the last chunk: the marker line when something was left out, then the tail, read piece by piece
   * into chunks of at most 64 KiB with memory of their own. Where its file cannot be read is another marker line.
   */
  *finish(): Generator<Chunk> {
    if (this.#tail.dropped > 0) this.#tail.dropPartialCharacter()
    let told = 0
    for (const chunk of this.#tail.take(CHUNK_BYTES)) {
      if (this.#tail.dropped > told) yield marker(this.#tail.dropped - told)
      told = this.#tail.dropped
      yield chunk
    }
    if (this.#tail.dropped > told) yield marker(this.#tail.dropped - told)
  }

  [Symbol.dispose](): void {
    this.#tail.release()
  }

  #keep(chunk: Chunk): void {
    this.#tailBytes += chunk.data.length
    this.#tail.push(chunk)
  }

  /** How many bytes of `data` still belong to the head. Once it is full a started character is completed. */
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
