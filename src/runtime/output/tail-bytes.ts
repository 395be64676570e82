import { TailBlocks } from './tail-blocks.ts'
import { TailFile } from './tail-file.ts'
import type { TailSpace } from './tail-space.ts'

const PIECE_BYTES = 64 * 1024

/**
 * The newest of all appended bytes, `capacity` or fewer: in memory while there is some, then in a file, and when that
 * fails in as much memory as there is. Nothing here throws.
 */
export class TailBytes {
  readonly #space: TailSpace
  #capacity: number
  readonly #blocks: TailBlocks
  /** If there is a file, all bytes are in it. */
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

  /** Adds `data`. Afterwards the end of all bytes is here, as much of it as fits. */
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
   * Takes out the oldest bytes, at most `size`, as a copy; undefined when they are lost, and `length` tells how many
   * that are.
   */
  shift(size: number): Buffer | undefined {
    return this.#file === undefined ? this.#blocks.shift(size) : this.#file.shift(size)
  }

  /** Gives memory and file back. It stays empty afterwards. */
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

  /** Tried once per tail. If the file fails on the way, the memory is as before. */
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

  /** Reads only what memory can hold: the file may be very long. */
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
