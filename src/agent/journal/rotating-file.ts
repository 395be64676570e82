import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { errnoOf } from '../../basics/errors.ts'
import { makeFolder, objectionTo } from '../../basics/files/private-path.ts'
import { MAX_LINE_BYTES } from './entries.ts'

/**
 * The file is opened also for reading, to check its last byte. O_CLOEXEC is not here, because Node has no
 * constant for it. libuv sets it on every open.
 */
const FLAGS =
  constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

const NEWLINE = Buffer.from('\n')

/** One open file of whole lines that other processes append to as well. */
class AppendFile {
  readonly #path: string
  readonly #fd: number
  readonly #identity: Pick<BigIntStats, 'dev' | 'ino'>
  /** Whether the last line has no newline. */
  #isTorn = false

  private constructor(path: string, fd: number) {
    const found = fstatSync(fd, { bigint: true })
    refuseForeign(path, found)
    this.#path = path
    this.#fd = fd
    this.#identity = found
  }

  /**
   * Creates file (0600) and folder (0700) if needed. Accepts only a regular file of this user.
   * @throws an error with the file, the reason and what to do, or the system's error
   */
  static open(path: string): AppendFile {
    makeFolder(dirname(path))
    // The path is checked before opening as well: some devices react to being opened.
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    if (found !== undefined) refuseForeign(path, found)
    const fd = openSync(path, FLAGS, 0o600)
    try {
      return new AppendFile(path, fd)
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** Returns the size in bytes; undefined if the file was deleted or moved. */
  size(): number | undefined {
    const found = lstatSync(this.#path, { bigint: true, throwIfNoEntry: false })
    const isThis = found?.ino === this.#identity.ino && found.dev === this.#identity.dev
    return isThis ? Number(found.size) : undefined
  }

  /**
   * Checks the last line. If a killed agent left this line without its newline, `append` first writes the
   * newline.
   */
  checkEnd(): void {
    this.#isTorn = endsTorn(this.#fd)
  }

  /**
   * Adds the line by one write. So the line does not mix with other agents' lines, and survives if this
   * process is killed. There is no fsync: a power cut may lose the last seconds. Close the file after an
   * error.
   * @returns number of bytes written
   * @throws if the line was not written completely
   */
  append(line: Buffer): number {
    const bytes = this.#isTorn ? Buffer.concat([NEWLINE, line]) : line
    const written = writeSync(this.#fd, bytes)
    if (written < bytes.length) {
      throw new Error(`${this.#path}: wrote only ${written} of ${bytes.length} bytes; free space on the disk`)
    }
    this.#isTorn = false
    return written
  }

  close(): void {
    try {
      closeSync(this.#fd)
    } catch {
      // The descriptor is closed even after an error. A remote disk may report a lost write only now, when
      // nobody can act on the error any more.
    }
  }
}

function refuseForeign(path: string, found: BigIntStats): void {
  const objection = objectionTo(found, 'regular file')
  if (objection === undefined) return
  throw new Error(`${path} ${objection}: remove it, or set another state folder`)
}

/** Whether the last line was cut short, by a full disk or because its writer was killed. */
function endsTorn(fd: number): boolean {
  const { size } = fstatSync(fd)
  const last = Buffer.alloc(1)
  if (size === 0 || readSync(fd, last, 0, 1, size - 1) === 0 || last.equals(NEWLINE)) return false
  // If the size has changed since the first `fstat`, another agent is still writing its line, page by page. A
  // wrong guess costs one blank line.
  return fstatSync(fd).size === size
}

/**
 * A lock file is stale if it is older than this, in milliseconds. A rotation takes less than a millisecond.
 */
const STALE_MS = 10_000

/** A lock file that exists while one of the agents rotates the journal. Disposing removes the file. */
class RotationLock implements Disposable {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** Does not wait. Returns undefined if another agent holds the lock. */
  static take(path: string): RotationLock | undefined {
    if (!create(path)) {
      if (!isStale(path)) return undefined
      rmSync(path, { force: true })
      if (!create(path)) return undefined
    }
    return new RotationLock(path)
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { force: true })
  }
}

function create(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600))
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/** If the clock was set back, a lock file can be from the future. Such a file is stale as well. */
function isStale(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) > STALE_MS
}

/** The newline that is added before a line if the previous line was cut short. */
const NEWLINE_BYTES = 1
const MIN_GENERATION_BYTES = MAX_LINE_BYTES + NEWLINE_BYTES

/**
 * After this time in milliseconds, or after this number of own bytes, the agent checks again whether the file
 * exists and how large it is. A check takes as long as writing a line.
 */
const LOOK_MS = 100
const LOOK_BYTES = 64 * 1024

/**
 * `journal.jsonl` and, for older lines, `journal.1.jsonl`. Agents may share the folder. Each further agent
 * can add 64 KiB above the limit. If the file is moved or deleted, an agent writes to the old file until the
 * agent's next check.
 */
export class RotatingFile {
  readonly path: string
  readonly #older: string
  readonly #lock: string
  readonly #generationBytes: number
  readonly #lookMs: number
  #file: AppendFile | undefined
  /** The file's size at the last check, plus the size of this agent's lines since then. */
  #bytes = 0
  #lookAt = { ms: -Infinity, bytes: 0 }

  /** @param maxBytes for both files together; a limit below two lines counts as two lines */
  constructor(folder: string, maxBytes: number, lookMs = LOOK_MS) {
    this.#lookMs = lookMs
    this.path = join(folder, 'journal.jsonl')
    this.#older = join(folder, 'journal.1.jsonl')
    this.#lock = join(folder, 'journal.lock')
    this.#generationBytes = Math.max(Math.floor(maxBytes / 2), MIN_GENERATION_BYTES)
  }

  /** @throws if the line is not written; the next call opens the file again */
  append(line: Buffer): void {
    try {
      // These are two statements because `#fileFor` may change `#bytes`.
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

  /**
   * Returns the open file. If another agent or logrotate has deleted or moved this file, opens a new file.
   */
  #look(file: AppendFile): AppendFile {
    const size = file.size()
    const found = size === undefined ? this.#open() : file
    this.#bytes = size ?? found.size() ?? 0
    this.#lookAt = { ms: performance.now() + this.#lookMs, bytes: this.#bytes + LOOK_BYTES }
    return found
  }

  #rotate(file: AppendFile, bytes: number): AppendFile {
    using lock = RotationLock.take(this.#lock)
    // Another agent is rotating. This line still goes to the file that becomes the older one.
    if (lock === undefined) return file
    // The size is checked again under the lock. If another agent has just rotated, a second rename would
    // overwrite the full file.
    const found = this.#look(file)
    if (!this.#isFull(bytes)) return found
    this.#makeOlder()
    return this.#open()
  }

  /**
   * Unlinks the older file first. If a rename overwrites a file, ext4 writes the renamed file to the disk,
   * and the agent has to wait.
   */
  #makeOlder(): void {
    rmSync(this.#older, { force: true })
    renameSync(this.path, this.#older)
  }

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
