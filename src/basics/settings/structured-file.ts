import { decodeUtf8, readSmallFile } from '../files/small-file.ts'
import type { Problems } from './problems.ts'
import { readTree } from './tree.ts'

/** What a file of JSON or YAML says. In YAML every scalar is a text. */
export interface StructuredFile {
  readonly value: unknown
  /** `FILE:LINE:COLUMN` of what is at this path, or of what it is missing from. */
  readonly placeOf: Problems['placeOf']
}

/** YAML's ways to write nothing. */
const EMPTY = ['', '~', 'null', 'Null', 'NULL']

/** @throws FileRefused, and SettingsError for a file that is neither JSON nor YAML */
export function readStructuredFile(file: string, maxBytes: number): StructuredFile {
  const text = decodeUtf8(readSmallFile(file, maxBytes).bytes)
  try {
    const value = JSON.parse(text) as unknown
    let places: Problems | undefined
    // JSON is YAML, and only faults have to be found in it.
    return { value, placeOf: (...asked) => (places ??= readTree(text, file).problems).placeOf(...asked) }
  } catch {
    const { tree, problems } = readTree(text, file, EMPTY)
    problems.throwIfAny()
    return { value: tree, placeOf: (...asked) => problems.placeOf(...asked) }
  }
}
