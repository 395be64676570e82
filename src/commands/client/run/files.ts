import { readGivenFile } from '../input/given-file.ts'
import { readPairs } from '../input/pairs.ts'

/** The gateway's limit for a whole request. */
export const LONGEST_FILE = 16 * 1024 * 1024

/** `NAME=path` from `-f`, as on the wire: `filesystem:NAME` to base64. @throws Failure, exit code 64 */
export function readFiles(texts: readonly string[]): Map<string, string> {
  const files = new Map<string, string>()
  for (const [name, path] of readPairs(texts, '-f')) files.set(`filesystem:${name}`, contentOf(path))
  return files
}

function contentOf(path: string): string {
  return readGivenFile(path, LONGEST_FILE, `-f: the file ${path}`).toString('base64')
}
