import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, lstat, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { dir } from 'tmp-promise'
import { errnoOf } from '../basics/errors.ts'
import { SetUpError } from '../basics/set-up-error.ts'
import type { Entry } from './entry.ts'
import { EnvvarError } from './errors.ts'

const ATTEMPTS = 3
const OWNER_MAY_ALL = 0o700
/** Maximum number of folders that one removal makes writable. */
const MAX_FOLDERS = 10_000

/**
 * Removes a folder and its content. A missing folder is no error. Folders that a script made read-only are
 * made writable before the removal.
 * @throws the error of the system call
 */
export async function removeTree(path: string): Promise<void> {
  // The removal is tried several times, because a process that is still ending may add a file or remove a
  // permission meanwhile.
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

/**
 * Does `chmod u+rwX` on this user's folders. It starts at the top, because a closed folder hides the folders
 * in it.
 */
async function makeWritable(root: string): Promise<void> {
  const folders = [root]
  for (let count = 0; count < MAX_FOLDERS; count++) {
    const folder = folders.pop()
    if (folder === undefined) return
    // A folder that cannot be opened is not reported here, because the removal fails with a better error.
    const inside = await openFolder(folder).catch(() => [])
    for (const one of inside) folders.push(one)
  }
}

/** Makes one folder writable and returns the folders in it. Links are not followed or changed. */
async function openFolder(path: string): Promise<string[]> {
  const folder = await lstat(path)
  if (!folder.isDirectory() || folder.uid !== process.geteuid?.()) return []
  if ((folder.mode & OWNER_MAY_ALL) !== OWNER_MAY_ALL) await chmod(path, folder.mode | OWNER_MAY_ALL)
  const found = await readdir(path, { withFileTypes: true })
  return found.filter((item) => item.isDirectory()).map(({ name }) => join(path, name))
}

/** The name of every session's folder begins with this text. */
export const SESSION_PREFIX = 's-'

/** With these flags, opening fails if anything already exists at the path, even a link. */
const CREATE_ONLY = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW
const SESSION_ID_IN_NAME = 36

/**
 * One session's folder for secret files. The folder has mode 0700 and the files have 0600. The caller of
 * `create` disposes the object.
 */
export class SecretFiles implements AsyncDisposable {
  readonly folder: string
  #removal: Promise<void> | undefined

  private constructor(folder: string) {
    this.folder = folder
  }

  /**
   * @param instance the agent's own folder
   * @param sessionId a part of the new folder's name, only for people who read it
   */
  static async create(instance: string, sessionId: string): Promise<SecretFiles> {
    const readable = sessionId.replace(/[^A-Za-z0-9-]/g, '').slice(0, SESSION_ID_IN_NAME)
    const prefix = `${SESSION_PREFIX}${readable}`
    try {
      // With `keep`, the library does not remember the folder. The library's own removal hangs if it is
      // called twice.
      const { path } = await dir({ tmpdir: instance, prefix, mode: 0o700, keep: true })
      return new SecretFiles(path)
    } catch (error) {
      const message = `cannot make a folder for a session's secret files in ${instance}: ${errnoOf(error)}`
      throw new SetUpError(message, { cause: error })
    }
  }

  /**
   * Writes the entry's value to a new file, and returns the path. The path does not contain the variable's
   * name.
   */
  async write(entry: Entry): Promise<string> {
    const path = join(this.folder, `${randomUUID()}.envfs`)
    try {
      await using file = await open(path, CREATE_ONLY, 0o600)
      await file.writeFile(entry.value)
    } catch (error) {
      const message = `failed writing the file of ${entry.key} in ${this.folder}: ${errnoOf(error)}`
      throw new EnvvarError(message, { cause: error })
    }
    return path
  }

  /**
   * Removes the folder. After a failure, this method can be called again. After a success, it does nothing.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#removal ??= removeTree(this.folder)
    try {
      await this.#removal
    } catch (error) {
      this.#removal = undefined
      const message = `cannot remove the secret files in ${this.folder}, remove it by hand: ${errnoOf(error)}`
      throw new SetUpError(message, { cause: error })
    }
  }
}
