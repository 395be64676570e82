import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AppendFile } from './append-file.ts'
import { MAX_LINE_BYTES } from './line.ts'
import { RotationLock } from './rotation-lock.ts'

/** Before a line that follows a torn one. */
const NEWLINE_BYTES = 1
const SMALLEST_GENERATION = MAX_LINE_BYTES + NEWLINE_BYTES

/**
 * `journal.jsonl` and, before it, `journal.1.jsonl`. Agents may share the folder; lines of the others that come
 * between the look at the size and the write are what the bound can be exceeded by.
 */
export class RotatingFile {
  readonly path: string
  readonly #older: string
  readonly #lock: string
  readonly #generationBytes: number
  #file: AppendFile | undefined

  /** @param maxBytes both generations together; less than two lines count as two lines */
  constructor(folder: string, maxBytes: number) {
    this.path = join(folder, 'journal.jsonl')
    this.#older = join(folder, 'journal.1.jsonl')
    this.#lock = join(folder, 'journal.lock')
    this.#generationBytes = Math.max(Math.floor(maxBytes / 2), SMALLEST_GENERATION)
  }

  /**
   * Opens what is not open, rotates when it is time, and adds the line.
   * @throws when the line is not there; the next call begins anew
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
    // Deleted or moved away, by another agent or by an outside logrotate.
    if (size === undefined) {
      file = this.#open()
      size = file.size() ?? 0
    }
    return size + bytes > this.#generationBytes ? this.#rotate(file) : file
  }

  #rotate(file: AppendFile): AppendFile {
    using lock = RotationLock.take(this.#lock)
    // Another agent is at it: this line still goes to the older generation.
    if (lock === undefined) return file
    // Looked at under the lock: when another one has rotated already, its new file would replace the full one.
    if (file.size() !== undefined) this.#makeOlder()
    return this.#open()
  }

  /** In two steps: ext4 writes a file that is renamed over another one to the disk, and the agent would wait for it. */
  #makeOlder(): void {
    rmSync(this.#older, { force: true })
    renameSync(this.path, this.#older)
  }

  /** For the first line, and for the first after an error. */
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
