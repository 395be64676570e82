import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** Joins at most `limit` bytes. @throws the error of `tooLong`, or of the source */
export async function readAll(
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
  limit: number,
  tooLong: () => Error,
): Promise<Buffer> {
  const read: Buffer[] = []
  let length = 0
  for await (const piece of pieces) {
    read.push(piece)
    length += piece.length
    if (length > limit) throw tooLong()
  }
  return Buffer.concat(read, length)
}

/** The message is the end of a sentence that begins with the file's path, e.g. `does not exist`. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused'
  /** The errno, or a code of ours: `NOT-A-FILE`, `TOO-LONG`, `NOT-TEXT`, `EMPTY`. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }

  get isMissing(): boolean {
    return this.code === 'ENOENT' || this.code === 'ENOTDIR'
  }
}

interface SmallFile {
  readonly bytes: Buffer
  /** Permission bits. */
  readonly mode: number
}

const REASONS: Readonly<Partial<Record<string, string>>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  ERR_INVALID_ARG_VALUE: 'is not a path',
}

/** Reads a regular file. @throws FileRefused, which never quotes the content */
export function readSmallFile(path: string, limit: number): SmallFile {
  try {
    // Checked before opening, because opening a FIFO would wait for a writer.
    const found = statSync(path)
    if (!found.isFile()) throw new FileRefused('NOT-A-FILE', 'is not a regular file')
    return { bytes: readUpTo(path, limit), mode: found.mode }
  } catch (error) {
    if (error instanceof FileRefused) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN'
    throw new FileRefused(code, REASONS[code] ?? `cannot be read (${code})`)
  }
}

/** Drops the byte order mark. @throws FileRefused */
export function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new FileRefused('NOT-TEXT', 'is not UTF-8 text')
  }
}

/** Ignores the size that the file system reports, because in /proc it is 0. */
function readUpTo(path: string, limit: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(limit + 1)
    let length = 0
    for (let read = -1; read !== 0 && length <= limit; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, null)
    }
    if (length > limit) throw new FileRefused('TOO-LONG', `is longer than ${limit} bytes`)
    return Buffer.from(buffer.subarray(0, length))
  } finally {
    closeSync(file)
  }
}
