import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from './errors.ts'

/**
 * Makes what is missing of the folder, 0700, step by step: Node's own recursion never comes back from a place like
 * /proc, where a folder cannot be made and is "not there".
 * @throws the system's error
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  const parent = dirname(folder)
  if (parent !== folder) makeFolder(parent)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another agent was faster. What is no folder shows when a file in it is opened.
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}
