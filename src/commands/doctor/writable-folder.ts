import { constants, existsSync } from 'node:fs'
import { access, mkdtemp, rmdir, stat } from 'node:fs/promises'
import path from 'node:path'

/**
 * Whether this user can make something in a folder, tried for real; of one that is not there, whether it could be
 * made. Leaves nothing.
 * @returns undefined when it can, else why not
 */
export async function obstacleTo(folder: string): Promise<string | undefined> {
  try {
    if (existsSync(folder)) await rmdir(await mkdtemp(path.join(folder, '.doctor-')))
    else return await obstacleBelow(nearestExisting(folder))
    return undefined
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code ?? message
  }
}

async function obstacleBelow(folder: string): Promise<string | undefined> {
  if (!(await stat(folder)).isDirectory()) return 'ENOTDIR'
  await access(folder, constants.W_OK | constants.X_OK)
  return undefined
}

/** The folder itself, or the one in which the first missing one would be made. */
export function nearestExisting(folder: string): string {
  const parent = path.dirname(folder)
  return existsSync(folder) || parent === folder ? folder : nearestExisting(parent)
}
