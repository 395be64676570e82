import { errnoOf } from '../../src/basics/errors.ts'
import { closeSync, cpSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import path from 'node:path'
import pLimit from 'p-limit'
import { SmallDisk } from '../support/machine/small-disk.ts'

const BLOCK = Buffer.alloc(64 * 1024, 'f')
const LAST_BYTES = Buffer.alloc(256, 'f')

/** A file system of one gateway or agent that can be filled, emptied again and made read-only. */
export class Disk implements Disposable {
  /** One fault at a time: what is read-only cannot be filled. */
  readonly exclusively = pLimit(1)
  readonly #disk: SmallDisk
  readonly #filler: string

  constructor(size: string) {
    this.#disk = new SmallDisk(size)
    this.#filler = path.join(this.#disk.path, 'filler')
  }

  get path(): string {
    return this.#disk.path
  }

  /** To the last block. */
  fill(): void {
    const file = openSync(this.#filler, 'w')
    for (const piece of [BLOCK, LAST_BYTES]) writeUntilFull(file, piece)
    closeSync(file)
    if (statfsSync(this.path).bfree > 0) throw new Error(`${this.path} could not be filled`)
  }

  free(): void {
    rmSync(this.#filler, { force: true })
  }

  /** Nothing on it may be open for writing. */
  makeReadOnly(): void {
    this.#disk.makeReadOnly()
  }

  makeWritable(): void {
    this.#disk.makeWritable()
  }

  /** What lies on it, for whoever looks into a round that failed. */
  copyTo(folder: string): void {
    cpSync(this.path, folder, { recursive: true, filter: (name) => name !== this.#filler })
  }

  [Symbol.dispose](): void {
    this.#disk[Symbol.dispose]()
  }
}

function writeUntilFull(file: number, piece: Buffer): void {
  try {
    for (;;) writeSync(file, piece)
  } catch (error) {
    if (errnoOf(error) !== 'ENOSPC') throw error
  }
}
