import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AppendFile } from './append-file.ts'
import { MAX_LINE_BYTES } from './line.ts'
import { RotationLock } from './rotation-lock.ts'

/** A newline that is added before a line when the one before it was cut short. */
const NEWLINE_BYTES = 1
const SMALLEST_GENERATION = MAX_LINE_BYTES + NEWLINE_BYTES

/**
 * After this time, or this many bytes of our own, the file is looked at again: whether it is still there, and how large
 * it is. A look costs as much as a line.
 */
const LOOK_MS = 100
const LOOK_BYTES = 64 * 1024

/**
 * `journal.jsonl` and, for older lines, `journal.1.jsonl`. Agents may share the folder, so the limit can be exceeded by
 * 64 KiB for each other one. When a file is moved away or deleted, it gets our lines until the next look: after a
 * rotation by another agent that is the older file.
 */
export class RotatingFile {
  readonly path: string
  readonly #older: string
  readonly #lock: string
  readonly #generationBytes: number
  readonly #lookMs: number
  #file: AppendFile | undefined
  /** The file's, at the last look and with our lines since. */
  #bytes = 0
  /** When or from which size on to look again. */
  #lookAt = { ms: -Infinity, bytes: 0 }

  /** @param maxBytes for both files together; less than two lines count as two lines */
  constructor(folder: string, maxBytes: number, lookMs = LOOK_MS) {
    this.#lookMs = lookMs
    this.path = join(folder, 'journal.jsonl')
    this.#older = join(folder, 'journal.1.jsonl')
    this.#lock = join(folder, 'journal.lock')
    this.#generationBytes = Math.max(Math.floor(maxBytes / 2), SMALLEST_GENERATION)
  }

  /**
   * Opens the file if needed, rotates when it is full, and adds the line.
   * @throws when the line is not written; the next call starts again
   */
  append(line: Buffer): void {
    try {
      // In two steps: finding the file may set what is added to.
      const written = this.#fileFor(line.length + NEWLINE_BYTES).append(line)
      this.#bytes += written
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
  }

  #fileFor(bytes: number): AppendFile {
    let file = this.#file ?? this.#begin()
    if (performance.now() >= this.#lookAt.ms || this.#bytes >= this.#lookAt.bytes) file = this.#look(file)
    return this.#isFull(bytes) ? this.#rotate(file, bytes) : file
  }

  #isFull(bytes: number): boolean {
    return this.#bytes + bytes > this.#generationBytes
  }

  /** @returns the file at the path: a new one when ours was deleted or moved, by another agent or an outside logrotate */
  #look(file: AppendFile): AppendFile {
    const size = file.size()
    const found = size === undefined ? this.#open() : file
    this.#bytes = size ?? found.size() ?? 0
    this.#lookAt = { ms: performance.now() + this.#lookMs, bytes: this.#bytes + LOOK_BYTES }
    return found
  }

  #rotate(file: AppendFile, bytes: number): AppendFile {
    using lock = RotationLock.take(this.#lock)
    // Another agent is rotating: this line still goes into the file that becomes the older one.
    if (lock === undefined) return file
    // Looked at again under the lock. If another agent has already rotated, renaming again would overwrite the full
    // file with its new one.
    const found = this.#look(file)
    if (!this.#isFull(bytes)) return found
    this.#makeOlder()
    return this.#open()
  }

  /**
   * Unlinks the older file before renaming. When a file is renamed over another one, ext4 writes it to the disk
   * first, and the agent would have to wait.
   */
  #makeOlder(): void {
    rmSync(this.#older, { force: true })
    renameSync(this.path, this.#older)
  }

  /** Opens the file for the first line, or again after an error. */
  #begin(): AppendFile {
    const file = this.#open()
    file.checkEnd()
    return file
  }

  #open(): AppendFile {
    this.close()
    this.#lookAt.ms = -Infinity
    return (this.#file = AppendFile.open(this.path))
  }
}
