import type { TailSpace } from './tail-space.ts'

const MAX_BLOCK_BYTES = 64 * 1024
/** A tail that gets no more memory loses whole blocks. It has at least this many of them. */
const BLOCKS_OF_A_TAIL = 8
/** With two, a full block of bytes is still there when the other was just emptied. */
const LEAST_BLOCKS = 2

/**
 * A queue of bytes in blocks of memory. Blocks are taken one by one, so a long tail costs nothing before it exists, and
 * nothing is copied when it grows.
 */
export class TailBlocks {
  /** What every tail may have, even beyond the common limit. */
  readonly leastBytes: number
  readonly #space: TailSpace
  readonly #blockBytes: number
  #blocks: Buffer[] = []
  /** The block that was emptied last, for the next one that is needed: a full tail allocates nothing. */
  #spare: Buffer | undefined
  /** Position of the oldest byte in the first block. */
  #start = 0
  #length = 0

  /** @param capacity the most bytes it will hold; this sets the size of a block */
  constructor(capacity: number, space: TailSpace) {
    this.#space = space
    this.#blockBytes = Math.min(MAX_BLOCK_BYTES, Math.ceil(capacity / BLOCKS_OF_A_TAIL))
    this.leastBytes = LEAST_BLOCKS * this.#blockBytes
  }

  get length(): number {
    return this.#length
  }

  get oldest(): number | undefined {
    return this.#length === 0 ? undefined : this.#blocks[0]?.[this.#start]
  }

  /** @returns how many bytes of `data` there was memory for */
  append(data: Buffer): number {
    let done = 0
    while (done < data.length && this.#hasRoom()) done += this.#fill(data.subarray(done))
    return done
  }

  /** Makes room for at least one byte when `append` found none: beyond the limit, or by dropping the oldest bytes. */
  makeRoom(): void {
    if (this.#blocks.length >= LEAST_BLOCKS) this.dropFirst(this.#firstPiece().length)
    else {
      this.#space.takeBeyondLimit(this.#blockBytes)
      this.#spare = this.#allocate()
    }
  }

  dropFirst(count: number): void {
    this.#start += count
    this.#length -= count
    while (this.#start >= this.#blockBytes) {
      this.#start -= this.#blockBytes
      this.#retire(this.#blocks.shift())
    }
  }

  /** Takes out the oldest bytes, at most `size`, as a copy. */
  shift(size: number): Buffer {
    const data = Buffer.allocUnsafeSlow(Math.min(size, this.#length))
    for (let done = 0; done < data.length;) {
      const count = this.#firstPiece().copy(data, done)
      this.dropFirst(count)
      done += count
    }
    return data
  }

  /** All bytes in order, in pieces that share the blocks' memory. */
  *pieces(): Generator<Buffer> {
    let at = this.#start
    const end = this.#start + this.#length
    for (const [index, block] of this.#blocks.entries()) {
      const blockStart = index * this.#blockBytes
      yield block.subarray(at - blockStart, Math.min(end - blockStart, this.#blockBytes))
      at = blockStart + this.#blockBytes
    }
  }

  /** Gives the memory back; it is empty afterwards. */
  release(): void {
    const held = this.#blocks.length + (this.#spare === undefined ? 0 : 1)
    this.#space.giveBack(held * this.#blockBytes)
    this.#blocks = []
    this.#spare = undefined
    this.#start = 0
    this.#length = 0
  }

  /** Whether a byte can be added after the newest. Takes a new block when that is needed. */
  #hasRoom(): boolean {
    if (this.#start + this.#length < this.#blocks.length * this.#blockBytes) return true
    const block = this.#spare ?? (this.#space.take(this.#blockBytes) ? this.#allocate() : undefined)
    if (block === undefined) return false
    this.#spare = undefined
    this.#blocks.push(block)
    return true
  }

  /** @returns how many bytes went into the last block */
  #fill(data: Buffer): number {
    const at = (this.#start + this.#length) % this.#blockBytes
    const block = this.#blocks.at(-1)
    const count = block === undefined ? 0 : data.copy(block, at)
    this.#length += count
    return count
  }

  #firstPiece(): Buffer {
    const block = this.#blocks[0] ?? Buffer.alloc(0)
    return block.subarray(this.#start, this.#start + this.#length)
  }

  /** Not from Node's pool, where a slice would keep the memory of others alive. */
  #allocate(): Buffer {
    return Buffer.allocUnsafeSlow(this.#blockBytes)
  }

  #retire(block: Buffer | undefined): void {
    if (this.#spare === undefined) this.#spare = block
    else this.#space.giveBack(this.#blockBytes)
  }
}
