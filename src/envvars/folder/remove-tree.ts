import { errnoOf } from '../../basics/errors.ts'
import { chmod, lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

const ATTEMPTS = 3
const OWNER_MAY_ALL = 0o700
/** Limit for one removal. A script that makes more folders has to leave them removable. */
const MAX_FOLDERS = 10_000

/**
 * Removes a folder with everything in it; if it is gone already, that is no error. Folders that a script made read-only
 * are made writable first. Fails with the error of the system call.
 */
export async function removeTree(path: string): Promise<void> {
  // More than once, since a process that is still ending may add a file or remove a permission meanwhile.
  for (let attempt = 1; ; attempt++) {
    try {
      await rm(path, { recursive: true, force: true })
      return
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      if (isDenied(error)) await makeWritable(path)
    }
  }
}

function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(errnoOf(error))
}

/** `chmod u+rwX` on this user's folders, the upper ones first: those below cannot be seen before. */
async function makeWritable(root: string): Promise<void> {
  const folders = [root]
  for (let count = 0; count < MAX_FOLDERS; count++) {
    const folder = folders.pop()
    if (folder === undefined) return
    // A folder that cannot be opened is not reported here: the removal will say more.
    const inside = await openFolder(folder).catch(() => [])
    for (const one of inside) folders.push(one)
  }
}

/** Makes one folder writable and gives the folders in it. Does not follow or change links. */
async function openFolder(path: string): Promise<string[]> {
  const folder = await lstat(path)
  if (!folder.isDirectory() || folder.uid !== process.geteuid?.()) return []
  if ((folder.mode & OWNER_MAY_ALL) !== OWNER_MAY_ALL) await chmod(path, folder.mode | OWNER_MAY_ALL)
  const found = await readdir(path, { withFileTypes: true })
  return found.filter((item) => item.isDirectory()).map(({ name }) => join(path, name))
}
