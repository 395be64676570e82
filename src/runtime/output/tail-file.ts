import { randomUUID } from 'node:crypto'
import { closeSync, constants, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { TailSpace } from './tail-space.ts'

/** Fails if anything exists there already, even a link. libuv adds O_CLOEXEC, which Node does not name. */
const CREATE_ONLY = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW

/**
 * A queue of bytes: a ring in a file without a name, which disappears with its descriptor, however the agent ends.
 * Reads and writes are synchronous. Those of 64 KiB end in the page cache and take microseconds. Asynchronous ones
 * would use the thread pool, which file systems and name lookups wait for, and would need a bounded queue of copies.
 */
export class TailFile implements Disposable {
  readonly #fd: number
  readonly #capacity: number
  readonly #space: TailSpace
  #open = true
  /** Position of the oldest byte, number of bytes, and length of the file. */
  #start = 0
  #length = 0
  #size = 0

  private constructor(fd: number, capacity: number, space: TailSpace) {
    this.#fd = fd
    this.#capacity = capacity
    this.#space = space
  }

  /** @param capacity the most bytes it will hold @throws the system's error */
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

  /** The oldest byte; undefined when there is none, or it cannot be read. */
  get oldest(): number | undefined {
    return this.#length === 0 ? undefined : this.#readFirst(1)?.[0]
  }

  /**
   * @param data at most what still fits
   * @throws the system's error; then nothing of `data` was added, and the rest is still there
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

  /** Takes out the oldest bytes, at most `size`, as a copy; undefined when they cannot be read. */
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
      // A network file system reports here what it could not write. Nobody will read it, and the descriptor is closed
      // anyway.
    }
  }

  #write(data: Buffer, at: number): void {
    for (let done = 0; done < data.length;) {
      // A full disk cuts one write short, and the next one fails.
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
