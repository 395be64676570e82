import { accessSync, readdirSync } from 'node:fs'

/** Returns an empty list when the folder is missing or may not be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** `mode` is `R_OK`, `W_OK` or `X_OK`. Returns false also when the file is missing. */
export function mayAccess(file: string, mode: number): boolean {
  try {
    accessSync(file, mode)
    return true
  } catch {
    return false
  }
}
