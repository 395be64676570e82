import { accessSync, constants, statSync } from 'node:fs'
import path from 'node:path'
import { SpawnError } from './exit-status.ts'

/**
 * Where a program lies: as it stands when it holds a slash (relative to `cwd`), else in the folders of `searchPath`.
 * @throws SpawnError ENOENT when there is none, EACCES when all there is cannot be executed
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

/** Asks for the file first: an error for every folder that does not have it would cost more than the rest. */
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
    // Not there, or in a folder that may not be searched, or with too long a name.
    return false
  }
}
