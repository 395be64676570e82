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
import { JournalFileError } from './errors.ts'

/** For reading too, to see how it ends. O_CLOEXEC is not among Node's constants: libuv sets it on every open. */
const FLAGS =
  constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

const NEWLINE = Buffer.from('\n')

/** One open file of whole lines, shared with other processes. */
export class AppendFile {
  readonly #path: string
  readonly #fd: number
  readonly #identity: Pick<BigIntStats, 'dev' | 'ino'>
  /** The last line in it has no end. */
  #isTorn = false

  private constructor(path: string, fd: number) {
    const found = fstatSync(fd, { bigint: true })
    refuseForeign(path, found)
    this.#path = path
    this.#fd = fd
    this.#identity = found
  }

  /**
   * Opens or creates the file (0600), its folder too (0700). Only a regular file of this user is taken.
   * @throws JournalFileError, or the system's error
   */
  static open(path: string): AppendFile {
    makeFolder(dirname(path))
    // Before it is opened too: opening is enough to make some devices do something.
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

  /** Bytes in it, or undefined when its path does not lead here any more: it was deleted or moved away. */
  size(): number | undefined {
    const found = lstatSync(this.#path, { bigint: true, throwIfNoEntry: false })
    const isThis = found?.ino === this.#identity.ino && found.dev === this.#identity.dev
    return isThis ? Number(found.size) : undefined
  }

  /** Looks whether the next line has to begin with a newline of its own: somebody else may have torn the last one. */
  checkEnd(): void {
    this.#isTorn = endsTorn(this.#fd)
  }

  /**
   * Adds the line by one write, so that it stands whole beside those of others, and is there when this process is
   * killed right after. It is in the page cache then: there is no fsync, a power cut may take the last seconds.
   * After an error the file has to be closed.
   * @throws when not all of it could be written
   */
  append(line: Buffer): void {
    const bytes = this.#isTorn ? Buffer.concat([NEWLINE, line]) : line
    const written = writeSync(this.#fd, bytes)
    if (written < bytes.length) {
      throw new JournalFileError(
        `${this.#path}: ${written} of ${bytes.length} bytes could be written: make room on the disk`,
      )
    }
    this.#isTorn = false
  }

  close(): void {
    try {
      closeSync(this.#fd)
    } catch {
      // The descriptor is given back even so; what a remote disk says this late can cost nothing more.
    }
  }
}

function refuseForeign(path: string, found: BigIntStats): void {
  const objection = objectionTo(found, 'regular file')
  if (objection === undefined) return
  throw new JournalFileError(`${path} ${objection}: remove it, or set another state folder`)
}

/** Whether a line was cut short, by a full disk or by the end of its writer. */
function endsTorn(fd: number): boolean {
  const { size } = fstatSync(fd)
  const last = Buffer.alloc(1)
  if (size === 0 || readSync(fd, last, 0, 1, size - 1) === 0 || last.equals(NEWLINE)) return false
  // The size grows page by page: another agent may just be in the middle of its line. To be wrong is a blank line.
  return fstatSync(fd).size === size
}
