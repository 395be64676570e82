import { decodeUtf8, FileRefused, readSmallFile } from '../../../basics/files/small-file.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { readAll } from '../../../basics/files/read-all.ts'
import { readPairs } from './pairs.ts'

/** Reads a file of at most `limit` bytes. @param named its name in messages @throws Failure, exit code 64 */
function readGivenFile(path: string, limit: number, named = path): Buffer {
  return refusing(named, () => readSmallFile(path, limit).bytes)
}

/** Reads a file of text. */
export function readGivenText(path: string, limit: number, named = path): string {
  return refusing(named, () => decodeUtf8(readSmallFile(path, limit).bytes))
}

type ErrorClass = abstract new (...args: never[]) => Error

/** Turns the refusal of a file into a Failure: `NAMED does not exist`. @param refusal the class of the errors */
export function refusing<T>(named: string, read: () => T, refusal: ErrorClass = FileRefused): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof refusal ? new Failure(`${named} ${error.message}`, exitCodes.usage) : error
  }
}

/**
 * Reads UTF-8 text.
 * @param limit in bytes
 * @param what the text in messages
 * @throws Failure for more, or for other bytes
 */
export async function readStandardInput(limit: number, what: string): Promise<string> {
  const named = `${what} on standard input`
  const tooLong = () => new Failure(`${named} is longer than ${limit} bytes`, exitCodes.usage)
  const bytes = await readAll(process.stdin as AsyncIterable<Buffer>, limit, tooLong)
  return refusing(named, () => decodeUtf8(bytes))
}

/** The gateway's limit for a whole request. */
export const LONGEST_FILE = 16 * 1024 * 1024

/** Reads `NAME=path` of `-f`, in the form of the wire: `filesystem:NAME` to base64. @throws Failure, exit code 64 */
export function readFiles(texts: readonly string[]): Map<string, string> {
  const files = new Map<string, string>()
  for (const [name, path] of readPairs(texts, '-f')) files.set(`filesystem:${name}`, encodedFile(path))
  return files
}

function encodedFile(path: string): string {
  return readGivenFile(path, LONGEST_FILE, `-f: the file ${path}`).toString('base64')
}
