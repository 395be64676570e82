import { randomUUID } from 'node:crypto'
import { closeSync, constants, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { TailSpace } from './tail-space.ts'

/** Fails on anything that is there already, a link included. libuv adds O_CLOEXEC, which Node does not name. */
const CREATE_ONLY = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW

/**
 * A queue of bytes, a ring in a file that has no name any more: it goes with its descriptor, however the agent ends.
 *
 * Reads and writes are synchronous. Those of 64 KiB end in the page cache and take microseconds, while asynchronous
 * ones would pass the thread pool that file systems and name lookups wait for, and need a bounded queue of copies.
 */
export class TailFile implements Disposable {
  readonly #fd: number
  readonly #capacity: number
  readonly #space: TailSpace
  #open = true
  /** Where the oldest byte lies, how many there are, and how long the file is. */
  #start = 0
  #length = 0
  #size = 0

  private constructor(fd: number, capacity: number, space: TailSpace) {
    this.#fd = fd
    this.#capacity = capacity
    this.#space = space
  }

  /** @param capacity the most bytes there may be at a time @throws the error of the system */
  static create(folder: string, capacity: number, space: TailSpace): TailFile {
    const path = join(folder, `${randomUUID()}.tail`)
    const fd = openSync(path, CREATE_ONLY, 0o600)
    try {
      unlinkSync(path)
    } catch (error) {
      closeSync(fd)
      throw error
    }
    return new TailFile(fd, capacity, space)
  }

  get length(): number {
    return this.#length
  }

  /** Undefined when there is none or it cannot be read. */
  get oldest(): number | undefined {
    return this.#length === 0 ? undefined : this.#readFirst(1)?.[0]
  }

  /**
   * @param data no more than fits
   * @throws the error of the system; what was there before is there still, and nothing of `data`
   */
  append(data: Buffer): void {
    const at = (this.#start + this.#length) % this.#capacity
    const first = Math.min(data.length, this.#capacity - at)
    this.#write(data.subarray(0, first), at)
    this.#write(data.subarray(first), 0)
    this.#length += data.length
  }

  dropFirst(count: number): void {
    this.#start = (this.#start + count) % this.#capacity
    this.#length -= count
  }

  /** Takes the oldest bytes out, at most `size`, into memory of their own; undefined when they cannot be read. */
  shift(size: number): Buffer | undefined {
    const count = Math.min(size, this.#length)
    const data = this.#readFirst(count)
    this.dropFirst(count)
    return data
  }

  [Symbol.dispose](): void {
    if (!this.#open) return
    this.#open = false
    this.#space.countFile(-this.#size)
    try {
      closeSync(this.#fd)
    } catch {
      // A network file system reports here what it could not write. Nobody reads it any more, and the descriptor is free.
    }
  }

  #write(data: Buffer, at: number): void {
    for (let done = 0; done < data.length;) {
      // One that is cut short, by a full disk, is followed by one that fails.
      const count = writeSync(this.#fd, data, done, data.length - done, at + done)
      if (count === 0) throw new Error('nothing was written')
      done += count
      this.#grow(at + done)
    }
  }

  #readFirst(count: number): Buffer | undefined {
    const data = Buffer.allocUnsafeSlow(count)
    const first = Math.min(count, this.#capacity - this.#start)
    try {
      this.#read(data.subarray(0, first), this.#start)
      this.#read(data.subarray(first), 0)
      return data
    } catch {
      return undefined
    }
  }

  #read(into: Buffer, at: number): void {
    for (let done = 0; done < into.length;) {
      const count = readSync(this.#fd, into, done, into.length - done, at + done)
      if (count === 0) throw new Error('the file is shorter than what was written')
      done += count
    }
  }

  #grow(size: number): void {
    if (size <= this.#size) return
    this.#space.countFile(size - this.#size)
    this.#size = size
  }
}
