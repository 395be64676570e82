import type { MemoryBudget } from './memory-budget.ts'
import type { Chunk } from './child-output.ts'

/** Memory starts small and doubles: most executions never reach their tail. */
const FIRST_BYTES = 64 * 1024
/** Changes between stdout and stderr that are remembered; beyond it the oldest bytes go, as if the ring were full. */
const MAX_RUNS = 65_536

interface Run {
  readonly stream: Chunk['stream']
  length: number
}

/** The last `capacity` bytes of a sequence of chunks, with the stream each byte came from. */
export class TailRing {
  readonly #capacity: number
  #ring = Buffer.alloc(0)
  /** Where the oldest byte lies, and how many there are. */
  #start = 0
  #length = 0
  /** Oldest first, from `#firstRun` on: shifting a long array for every byte would be quadratic. */
  #runs: Run[] = []
  #firstRun = 0
  #dropped = 0

  readonly #budget: MemoryBudget

  /** @param budget shared with other rings; one that gets no more stays as it is and keeps fewer bytes */
  constructor(capacity: number, budget: MemoryBudget) {
    this.#capacity = capacity
    this.#budget = budget
  }

  /** Bytes that were pushed out by newer ones. */
  get dropped(): number {
    return this.#dropped
  }

  push({ stream, data }: Chunk): void {
    this.#grow(Math.min(this.#length + data.length, this.#capacity))
    const size = this.#ring.length
    const excess = this.#length + data.length - size
    if (excess > 0) this.#dropFirst(Math.min(excess, this.#length))
    const kept = data.length > size ? data.subarray(data.length - size) : data
    this.#dropped += data.length - kept.length
    if (kept.length === 0) return
    this.#write(kept)
    this.#remember(stream, kept.length)
  }

  /** Leaves out the first bytes that only continue a character whose start is gone: at most 3. */
  dropPartialCharacter(): void {
    let count = 0
    while (count < 3 && count < this.#length && isContinuation(this.#at(count))) count += 1
    this.#dropFirst(count)
  }

  /** The bytes in order, as chunks of at most `size` that share the ring's memory: nothing may be pushed any more. */
  *take(size: number): Generator<Chunk> {
    for (let run = this.#oldest(); run !== undefined; run = this.#oldest()) {
      const length = Math.min(run.length, size, this.#ring.length - this.#start)
      yield { stream: run.stream, data: this.#ring.subarray(this.#start, this.#start + length) }
      this.#forget(length)
    }
  }

  /** Gives the memory back; the ring is empty afterwards. */
  release(): void {
    this.#budget.giveBack(Math.max(0, this.#ring.length - Math.min(FIRST_BYTES, this.#capacity)))
    this.#ring = Buffer.alloc(0)
    this.#length = 0
    this.#runs = []
    this.#firstRun = 0
  }

  #dropFirst(count: number): void {
    this.#dropped += count
    this.#forget(count)
  }

  #forget(count: number): void {
    this.#start = this.#ring.length === 0 ? 0 : (this.#start + count) % this.#ring.length
    this.#length -= count
    this.#forgetRuns(count)
  }

  #forgetRuns(count: number): void {
    let left = count
    for (let run = this.#oldest(); run !== undefined && left > 0; run = this.#oldest()) {
      const taken = Math.min(left, run.length)
      run.length -= taken
      left -= taken
      if (run.length === 0) this.#firstRun += 1
    }
    if (this.#firstRun < MAX_RUNS) return
    this.#runs = this.#runs.slice(this.#firstRun)
    this.#firstRun = 0
  }

  #oldest(): Run | undefined {
    return this.#runs[this.#firstRun]
  }

  #grow(needed: number): void {
    if (needed <= this.#ring.length) return
    const first = this.#ring.length === 0
    let size = Math.max(this.#ring.length, FIRST_BYTES)
    while (size < needed) size *= 2
    size = Math.min(size, this.#capacity)
    // The first block is everybody's; it is what the end of an output needs at the least.
    if (first && size > FIRST_BYTES && !this.#budget.take(size - FIRST_BYTES))
      size = Math.min(FIRST_BYTES, this.#capacity)
    if (!first && !this.#budget.take(size - this.#ring.length)) return
    const grown = Buffer.allocUnsafe(size)
    const head = Math.min(this.#length, this.#ring.length - this.#start)
    this.#ring.copy(grown, 0, this.#start, this.#start + head)
    this.#ring.copy(grown, head, 0, this.#length - head)
    this.#ring = grown
    this.#start = 0
  }

  #write(data: Buffer): void {
    const at = (this.#start + this.#length) % this.#ring.length
    const first = Math.min(data.length, this.#ring.length - at)
    data.copy(this.#ring, at, 0, first)
    data.copy(this.#ring, 0, first)
    this.#length += data.length
  }

  #remember(stream: Chunk['stream'], length: number): void {
    const last = this.#runs.at(-1)
    if (last?.stream === stream && last.length > 0) last.length += length
    else this.#runs.push({ stream, length })
    if (this.#runs.length - this.#firstRun > MAX_RUNS) this.#dropFirst(this.#oldest()?.length ?? 0)
  }

  #at(index: number): number | undefined {
    return this.#ring[(this.#start + index) % this.#ring.length]
  }
}

/** 10xxxxxx: a byte inside a UTF-8 character. */
export function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
