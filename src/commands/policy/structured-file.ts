import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import type { Path } from '../../basics/settings/problems.ts'
import { readTree } from '../../basics/settings/tree.ts'
import { Failure } from '../failure.ts'
import { ANSWERS } from './answers.ts'

/** More than a gateway sends with a session. */
const MAX_FILE_BYTES = 16 * 1024 * 1024

/** YAML's ways to write nothing. */
const EMPTY = ['', '~', 'null', 'Null', 'NULL']

export interface StructuredFile {
  readonly root: unknown
  /** `file:line:column` of something in it, or of what that is missing from. */
  readonly placeOf: (path: Path) => string
}

/** What a file of JSON or YAML says. @throws Failure, exit code 2 */
export function readStructured(file: string): StructuredFile {
  const text = textOf(file)
  try {
    // JSON is YAML as well, and only the reader of YAML knows where things are.
    return {
      root: JSON.parse(text) as unknown,
      placeOf: (path) => readTree(text, file).problems.placeOf(path),
    }
  } catch {
    const { tree, problems } = readTree(text, file, EMPTY)
    if (tree !== undefined) return { root: tree, placeOf: (path) => problems.placeOf(path) }
    throw new Failure(problems.toLines().join('\n'), ANSWERS.none)
  }
}

function textOf(file: string): string {
  try {
    return decodeUtf8(readSmallFile(file, MAX_FILE_BYTES).bytes)
  } catch (error) {
    throw error instanceof FileRefused ? new Failure(`${file} ${error.message}`, ANSWERS.none) : error
  }
}
