import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AppendFile } from './append-file.ts'
import { MAX_LINE_BYTES } from './line.ts'
import { RotationLock } from './rotation-lock.ts'

/** A newline that is added before a line when the one before it was cut short. */
const NEWLINE_BYTES = 1
const SMALLEST_GENERATION = MAX_LINE_BYTES + NEWLINE_BYTES

/**
 * `journal.jsonl` and, for older lines, `journal.1.jsonl`. Agents may share the folder, so the limit can be exceeded
 * a little: others may write between our look at the size and our own line.
 */
export class RotatingFile {
  readonly path: string
  readonly #older: string
  readonly #lock: string
  readonly #generationBytes: number
  #file: AppendFile | undefined

  /** @param maxBytes for both files together; less than two lines count as two lines */
  constructor(folder: string, maxBytes: number) {
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
      this.#fileFor(line.length + NEWLINE_BYTES).append(line)
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
    let size = file.size()
    // Deleted or moved, by another agent or an outside logrotate.
    if (size === undefined) {
      file = this.#open()
      size = file.size() ?? 0
    }
    return size + bytes > this.#generationBytes ? this.#rotate(file) : file
  }

  #rotate(file: AppendFile): AppendFile {
    using lock = RotationLock.take(this.#lock)
    // Another agent is rotating: this line still goes into the file that becomes the older one.
    if (lock === undefined) return file
    // Checked again under the lock. If another agent has already rotated, renaming again would overwrite the full
    // file with its new one.
    if (file.size() !== undefined) this.#makeOlder()
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
    return (this.#file = AppendFile.open(this.path))
  }
}
