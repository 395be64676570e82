import { FileRefused } from '../../basics/files/small-file.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import { Failure } from '../failure.ts'

/** Exit codes of `policy check` and `policy mask`. */
export const ANSWERS = {
  passes: 0,
  stopped: 1,
  /** The rules or the text cannot be read, a rule cannot be enforced, or the arguments are wrong. */
  none: 2,
} as const

/** Largest rule file: more than a gateway sends with a session. */
export const POLICY_FILE_BYTES = 16 * 1024 * 1024

/** Reads a file by `read`. @throws Failure, exit code 2, when the file cannot be read */
export function readingPolicy<Result>(file: string, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (error instanceof FileRefused) throw new Failure(`${file} ${error.message}`, ANSWERS.none)
    throw error instanceof SettingsError ? new Failure(error.message, ANSWERS.none) : error
  }
}
