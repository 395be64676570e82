import { existsSync, constants } from 'node:fs'
import path from 'node:path'
import { access, mkdtemp, rmdir, stat, statfs } from 'node:fs/promises'

/**
 * Tries whether this user can create files in a folder; for a missing folder, whether it could be created. Leaves
 * nothing there.
 * @returns undefined when it can, else the reason
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

/** The folder itself, or the existing folder in which the first missing one would be created. */
export function nearestExisting(folder: string): string {
  const parent = path.dirname(folder)
  return existsSync(folder) || parent === folder ? folder : nearestExisting(parent)
}

/** `f_type` of tmpfs and ramfs (linux/magic.h), whose files reach a disk only by swap. */
const MEMORY_TYPES = new Set([0x01021994, 0x858458f6])

interface Volume {
  /** Bytes that this user may write. */
  readonly freeBytes: number
  /** False when there is room, but no inode for a file. */
  readonly hasInodes: boolean
  readonly isMemory: boolean
}

export async function volumeOf(folder: string): Promise<Volume> {
  const { bavail, bsize, files, ffree, type } = await statfs(folder)
  return {
    freeBytes: bavail * bsize,
    // btrfs and other file systems without an inode table report 0 of 0.
    hasInodes: files === 0 || ffree > 0,
    isMemory: MEMORY_TYPES.has(type),
  }
}
