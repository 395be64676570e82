import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** All files below a folder as one text. */
export function contentsBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}
