import { decodeUtf8, FileRefused, readSmallFile } from '../../../basics/files/small-file.ts'
import { exitCodes, Failure } from '../../failure.ts'

/** What a named file holds, at most `limit` bytes. @param named for messages @throws Failure, exit code 64 */
export function readGivenFile(path: string, limit: number, named = path): Buffer {
  return refusing(named, () => readSmallFile(path, limit).bytes)
}

/** The same for a file that has to be text. */
export function readGivenText(path: string, limit: number, named = path): string {
  return refusing(named, () => decodeUtf8(readSmallFile(path, limit).bytes))
}

type ErrorClass = abstract new (...args: never[]) => Error

/** What a reader of a file refuses, as a Failure: `NAMED does not exist`. @param refusal the errors that say so */
export function refusing<T>(named: string, read: () => T, refusal: ErrorClass = FileRefused): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof refusal ? new Failure(`${named} ${error.message}`, exitCodes.usage) : error
  }
}
