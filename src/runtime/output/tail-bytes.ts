import { TailBlocks } from './tail-blocks.ts'
import { TailFile } from './tail-file.ts'
import type { TailSpace } from './tail-space.ts'

const PIECE_BYTES = 64 * 1024

/**
 * The newest bytes of all that were appended, `capacity` of them or fewer: in memory while there is some, then in a
 * file, and when the file fails in what memory can be had. Nothing here throws.
 */
export class TailBytes {
  readonly #space: TailSpace
  #capacity: number
  readonly #blocks: TailBlocks
  /** When there is a file, all bytes are in it. */
  #file: TailFile | undefined
  #mayHaveFile = true

  constructor(capacity: number, space: TailSpace) {
    this.#space = space
    this.#capacity = capacity
    this.#blocks = new TailBlocks(capacity, space)
  }

  get length(): number {
    return this.#file?.length ?? this.#blocks.length
  }

  get oldest(): number | undefined {
    return this.#file === undefined ? this.#blocks.oldest : this.#file.oldest
  }

  /** What is there afterwards is the end of what was there with `data` behind it. */
  append(data: Buffer): void {
    const kept = data.subarray(Math.max(0, data.length - this.#capacity))
    const excess = this.length + kept.length - this.#capacity
    if (excess > 0) this.dropFirst(excess)
    if (this.#file === undefined) this.#toMemory(kept)
    else this.#toFile(this.#file, kept)
  }

  dropFirst(count: number): void {
    if (this.#file === undefined) this.#blocks.dropFirst(count)
    else this.#file.dropFirst(count)
  }

  /**
   * Takes the oldest bytes out, at most `size`, into memory of their own; undefined when they are lost, and `length`
   * tells how many those are.
   */
  shift(size: number): Buffer | undefined {
    return this.#file === undefined ? this.#blocks.shift(size) : this.#file.shift(size)
  }

  /** Gives memory and file back. It is empty afterwards and stays so. */
  release(): void {
    this.#blocks.release()
    this.#file?.[Symbol.dispose]()
    this.#file = undefined
    this.#capacity = 0
  }

  #toMemory(data: Buffer): void {
    let rest = data.subarray(this.#blocks.append(data))
    if (rest.length === 0) return
    const file = this.#moveToFile()
    if (file !== undefined) {
      this.#toFile(file, rest)
      return
    }
    while (rest.length > 0) {
      this.#blocks.makeRoom()
      rest = rest.subarray(this.#blocks.append(rest))
    }
  }

  #toFile(file: TailFile, data: Buffer): void {
    try {
      file.append(data)
    } catch (error) {
      this.#giveUpFile(error)
      this.#returnToMemory(file)
      this.#toMemory(data)
    }
  }

  /** Once for each tail; a file that fails on the way leaves the memory as it was. */
  #moveToFile(): TailFile | undefined {
    const folder = this.#space.spillFolder
    if (folder === undefined || !this.#mayHaveFile) return undefined
    let file: TailFile | undefined
    try {
      file = TailFile.create(folder, this.#capacity, this.#space)
      for (const piece of this.#blocks.pieces()) file.append(piece)
    } catch (error) {
      file?.[Symbol.dispose]()
      this.#giveUpFile(error)
      return undefined
    }
    this.#blocks.release()
    this.#file = file
    return file
  }

  #giveUpFile(error: unknown): void {
    this.#file = undefined
    this.#mayHaveFile = false
    this.#space.reportFailure(error)
  }

  /** Only what memory can hold is read: the file may be very long. */
  #returnToMemory(file: TailFile): void {
    const most = Math.max(this.#space.freeBytes, this.#blocks.leastBytes)
    file.dropFirst(Math.max(0, file.length - most))
    while (file.length > 0) {
      const piece = file.shift(PIECE_BYTES)
      if (piece === undefined) this.#blocks.release()
      else this.#toMemory(piece)
    }
    file[Symbol.dispose]()
  }
}
