import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  writeSync,
  type BigIntStats,
} from 'node:fs'
import { dirname } from 'node:path'
import { makeFolder, objectionTo } from '../../basics/files/private-path.ts'
/**
 * Opened for reading too, to see how the file ends. Node has no constant for O_CLOEXEC; libuv sets it on every open.
 */
const FLAGS =
  constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

const NEWLINE = Buffer.from('\n')

/** One open file of whole lines that other processes append to as well. */
export class AppendFile {
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
   * Opens or creates the file (0600) and its folder (0700). Accepts only a regular file of this user.
   * @throws an error that says which file, why, and what to do; or the system's
   */
  static open(path: string): AppendFile {
    makeFolder(dirname(path))
    // Checked before opening as well, since some devices react to being opened.
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

  /** Its size in bytes; undefined when it was deleted or moved, so that the path leads elsewhere. */
  size(): number | undefined {
    const found = lstatSync(this.#path, { bigint: true, throwIfNoEntry: false })
    const isThis = found?.ino === this.#identity.ino && found.dev === this.#identity.dev
    return isThis ? Number(found.size) : undefined
  }

  /**
   * Checks whether the last line lacks its newline, because another agent was killed while writing it. The next line
   * then begins with one.
   */
  checkEnd(): void {
    this.#isTorn = endsTorn(this.#fd)
  }

  /**
   * Adds the line with one write, so it does not mix with other agents' lines and survives if this process is killed
   * right after. It is only in the page cache then (no fsync): a power cut may lose the last seconds. After an error
   * the file has to be closed.
   * @returns how many bytes that were; @throws when not all of it could be written
   */
  append(line: Buffer): number {
    const bytes = this.#isTorn ? Buffer.concat([NEWLINE, line]) : line
    const written = writeSync(this.#fd, bytes)
    if (written < bytes.length) {
      throw new Error(
        `${this.#path}: ${written} of ${bytes.length} bytes could be written: make room on the disk`,
      )
    }
    this.#isTorn = false
    return written
  }

  close(): void {
    try {
      closeSync(this.#fd)
    } catch {
      // The descriptor is closed all the same. A remote disk may report a lost write this late, but nobody can act on
      // it.
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
  // The size grows page by page, so another agent may be in the middle of its line. A wrong guess costs one blank line.
  return fstatSync(fd).size === size
}
