import { accessSync, constants, statSync } from 'node:fs'
import path from 'node:path'
import { SpawnError } from './exit-status.ts'

/**
 * Finds a program: a name with a slash is a path (relative to `cwd`), any other is looked up in the folders of
 * `searchPath`. @throws SpawnError ENOENT when there is none, EACCES when none that was found can be executed
 */
export function findProgram(name: string, searchPath: string, cwd: string): string {
  if (name.includes('/')) return path.resolve(cwd, name)
  const found = candidates(name, searchPath, cwd)
  const runnable = found.find(isExecutable)
  if (runnable !== undefined) return runnable
  if (found.some(isFile)) throw new SpawnError('EACCES', `exec: ${JSON.stringify(name)}: permission denied`)
  throw new SpawnError('ENOENT', `exec: ${JSON.stringify(name)}: executable file not found in $PATH`)
}

function candidates(name: string, searchPath: string, cwd: string): string[] {
  if (name === '') return []
  return searchPath.split(':').map((folder) => path.resolve(cwd, folder, name))
}

/** Checks that the file exists first: an exception for every folder without it would cost more than all the rest. */
function isExecutable(file: string): boolean {
  if (!isFile(file)) return false
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isFile(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false })?.isFile() === true
  } catch {
    // Missing, in a folder that may not be searched, or with too long a name.
    return false
  }
}
