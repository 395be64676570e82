import { accessSync, readdirSync } from 'node:fs'

/** Returns no names when the folder is gone or may not be listed. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** @param mode `R_OK`, `W_OK` or `X_OK` @returns false also when there is no such file */
export function mayAccess(file: string, mode: number): boolean {
  try {
    accessSync(file, mode)
    return true
  } catch {
    return false
  }
}
