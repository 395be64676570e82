import { resolve } from 'node:path'
import type { Found } from './lookup.ts'
import type { SettingsFile } from './settings-file.ts'

/** In the settings file paths start where it lies, elsewhere in the working folder. */
export function pathBeside(path: string, { from }: Found<unknown>, file: SettingsFile | undefined): string {
  return resolve(from === 'file' ? (file?.folder ?? '.') : '.', path)
}
