import { accessSync, readdirSync } from 'node:fs'

/** Lists the names in a folder. The list is empty when the folder is missing or may not be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** @param mode `R_OK`, `W_OK` or `X_OK` @returns false also when the file is missing */
export function mayAccess(file: string, mode: number): boolean {
  try {
    accessSync(file, mode)
    return true
  } catch {
    return false
  }
}
