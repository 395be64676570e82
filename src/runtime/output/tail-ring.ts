import type { Chunk } from './child-output.ts'
import { TailBytes } from './tail-bytes.ts'
import type { TailSpace } from './tail-space.ts'

/**
 * How many changes between stdout and stderr are remembered. Above that the oldest bytes go, as if the ring were full.
 */
const MAX_RUNS = 65_536

interface Run {
  readonly stream: Chunk['stream']
  length: number
}

/** The last `capacity` bytes of a sequence of chunks, with the stream that each byte came from. */
export class TailRing {
  readonly #bytes: TailBytes
  /** Oldest first, starting at `#firstRun`: shifting a long array for every byte would be quadratic. */
  #runs: Run[] = []
  #firstRun = 0
  #dropped = 0

  /** @param space shared with other rings. A ring that gets neither memory nor a file keeps fewer bytes */
  constructor(capacity: number, space: TailSpace) {
    this.#bytes = new TailBytes(capacity, space)
  }

  /** Bytes that newer ones have pushed out, or that could not be read back. */
  get dropped(): number {
    return this.#dropped
  }

  push({ stream, data }: Chunk): void {
    if (data.length === 0) return
    const all = this.#bytes.length + data.length
    this.#bytes.append(data)
    this.#remember(stream, data.length)
    this.#drop(all - this.#bytes.length)
    if (this.#runs.length - this.#firstRun > MAX_RUNS) this.#dropFirst(this.#oldest()?.length ?? 0)
  }

  /** Drops the first bytes, at most 3, if they only continue a character whose start is gone. */
  dropPartialCharacter(): void {
    for (let count = 0; count < 3 && isContinuation(this.#bytes.oldest); count++) this.#dropFirst(1)
  }

  /**
   * Takes the bytes out in order, as chunks of at most `size` with memory of their own. Bytes of a file that cannot be
   * read are skipped, and counted before the next chunk.
   */
  *take(size: number): Generator<Chunk> {
    for (let run = this.#oldest(); run !== undefined; run = this.#oldest()) {
      const { stream } = run
      const before = this.#bytes.length
      const data = this.#bytes.shift(Math.min(run.length, size))
      const taken = before - this.#bytes.length
      if (data === undefined) this.#drop(taken)
      else {
        this.#forgetRuns(taken)
        yield { stream, data }
      }
    }
  }

  /** Gives memory and file back; the ring is empty afterwards. */
  release(): void {
    this.#bytes.release()
    this.#runs = []
    this.#firstRun = 0
  }

  #dropFirst(count: number): void {
    this.#bytes.dropFirst(count)
    this.#drop(count)
  }

  /** The oldest bytes are gone. */
  #drop(count: number): void {
    this.#dropped += count
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

  #remember(stream: Chunk['stream'], length: number): void {
    const last = this.#runs.at(-1)
    if (last?.stream === stream && last.length > 0) last.length += length
    else this.#runs.push({ stream, length })
  }
}

/** 10xxxxxx: a byte inside a UTF-8 character. */
export function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
