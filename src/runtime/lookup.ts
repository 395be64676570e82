import { constants, statSync } from 'node:fs'
import path from 'node:path'
import { mayAccess } from '../basics/files/access.ts'
import { SpawnError } from './exit-status.ts'

/**
 * Returns the path of a program. A name with a slash is already a path (relative to `cwd`).
 * @throws SpawnError ENOENT if no file has this name, EACCES if none can be executed
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

/**
 * Checks first that the file exists. Most folders do not contain the file, and an exception for each folder
 * would be slow.
 */
function isExecutable(file: string): boolean {
  return isFile(file) && mayAccess(file, constants.X_OK)
}

function isFile(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false })?.isFile() === true
  } catch {
    // The file is missing, its folder may not be searched, or its name is too long.
    return false
  }
}
