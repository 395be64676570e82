import { readFileSync, statSync } from 'node:fs'

/** A file that cannot be taken. The message completes "the file PATH ...". */
export class FileRefused extends Error {
  override readonly name = 'FileRefused'
  readonly isMissing: boolean

  constructor(message: string, isMissing = false) {
    super(message)
    this.isMissing = isMissing
  }
}

interface SmallFile {
  readonly text: string
  /** Permission bits. */
  readonly mode: number
}

const MISSING = new Set(['ENOENT', 'ENOTDIR'])
const FORBIDDEN = new Set(['EACCES', 'EPERM'])

/** Reads a regular file of at most `limit` bytes. @throws FileRefused */
export function readSmallFile(path: string, limit: number): SmallFile {
  try {
    // Looked at before it is opened: opening a FIFO would wait for a writer.
    const { mode, size } = regular(path)
    if (size > limit) throw new FileRefused(`is longer than ${limit} bytes`)
    return { text: readFileSync(path, 'utf8'), mode }
  } catch (error) {
    throw error instanceof FileRefused ? error : refusal(error)
  }
}

function regular(path: string): { mode: number; size: number } {
  const found = statSync(path)
  if (!found.isFile()) throw new FileRefused('is not a regular file')
  return found
}

function refusal(error: unknown): FileRefused {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN'
  if (MISSING.has(code)) return new FileRefused('does not exist', true)
  if (FORBIDDEN.has(code)) return new FileRefused('may not be read by this user')
  return new FileRefused(`cannot be read (${code})`)
}
