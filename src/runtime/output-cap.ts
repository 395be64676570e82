import type { Chunk } from './child-output.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { isContinuation, TailRing } from './tail-ring.ts'

/** Part of the cap that goes out as it comes; the rest is kept for the end, where the error usually stands. */
const HEAD_SHARE = 1 / 5
const CHUNK_BYTES = 64 * 1024

/** Keeps the head and the tail of an output and counts what it leaves out between them. */
export class OutputCap implements Disposable {
  #headRoom: number
  /** How many bytes the head may still overrun its share to complete a character; undefined while it has room. */
  #overrun: number | undefined
  readonly #tail: TailRing

  /** @param bytes largest output, head and tail together, the marker line not counted
   * @param budget what all tails of the agent have together */
  constructor(bytes: number, budget: MemoryBudget) {
    this.#headRoom = Math.floor(bytes * HEAD_SHARE)
    this.#tail = new TailRing(bytes - this.#headRoom, budget)
  }

  /** Bytes left out so far; exact after `finish`. */
  get omitted(): number {
    return this.#tail.dropped
  }

  /** @returns the part of the chunk that goes out now */
  head(chunk: Chunk): Chunk | undefined {
    const end = this.#headEnd(chunk.data)
    if (end < chunk.data.length) this.#tail.push({ stream: chunk.stream, data: chunk.data.subarray(end) })
    return end === 0 ? undefined : { stream: chunk.stream, data: chunk.data.subarray(0, end) }
  }

  /** What goes out after the last chunk: the marker line when something was left out, then the tail. */
  *finish(): Generator<Chunk> {
    if (this.#tail.dropped > 0) {
      this.#tail.dropPartialCharacter()
      yield {
        stream: 'stderr',
        data: Buffer.from(`\n[... ${this.#tail.dropped} bytes of output left out ...]\n`),
      }
    }
    yield* this.#tail.take(CHUNK_BYTES)
  }

  [Symbol.dispose](): void {
    this.#tail.release()
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
