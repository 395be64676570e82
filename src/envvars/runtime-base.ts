import { constants } from 'node:fs'
import { access, lstat, mkdir, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { errnoOf, RuntimeFolderError } from './errors.ts'

/** f_type of a tmpfs (linux/magic.h): what is written there never reaches a disk, swap aside. */
const TMPFS = 0x01021994
const WRITABLE_BY_OTHERS = 0o022

export interface RuntimeBaseRequest {
  /** The `runtime-dir` setting, an absolute path; made if it is missing. */
  readonly preferred?: string | undefined
  /** The agent's environment, for systemd's RUNTIME_DIRECTORY. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where shared memory is mounted. */
  readonly sharedMemory?: string
}

/**
 * The folder below which secret files go: the setting, else systemd's, else shared memory, else the temporary
 * folder. One that was named and cannot be used is an error: falling back could put secrets on a disk.
 */
export async function chooseRuntimeBase(request: RuntimeBaseRequest): Promise<string> {
  if (request.preferred) return usable(request.preferred, 'runtime-dir')
  // systemd joins several RuntimeDirectory= entries with colons.
  const [systemd] = (request.env['RUNTIME_DIRECTORY'] ?? '').split(':')
  if (systemd) return usable(systemd, 'RUNTIME_DIRECTORY')
  const sharedMemory = request.sharedMemory ?? '/dev/shm'
  return (await isWritableTmpfs(sharedMemory)) ? sharedMemory : tmpdir()
}

async function usable(path: string, setting: string): Promise<string> {
  if (!isAbsolute(path)) {
    throw new RuntimeFolderError(`${setting} must be an absolute path, it is ${path}`)
  }
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await access(path, constants.W_OK | constants.X_OK)
    return path
  } catch (error) {
    const advice = `make it a folder this agent's user can write to, or set another ${setting}`
    throw new RuntimeFolderError(`${setting} ${path} cannot be used: ${errnoOf(error)}; ${advice}`, {
      cause: error,
    })
  }
}

async function isWritableTmpfs(path: string): Promise<boolean> {
  try {
    if ((await statfs(path)).type !== TMPFS) return false
    await access(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * `<base>/runbook-agent-<uid>`, shared by this user's agents. The base is often writable by everyone, so what is
 * found there may have been put there by somebody else: it has to be a real folder, ours, and closed to others.
 */
export async function ensureUserFolder(base: string): Promise<string> {
  const uid = process.geteuid?.() ?? 0
  const path = join(base, `runbook-agent-${uid}`)
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') {
      throw new RuntimeFolderError(`cannot make ${path}: ${errnoOf(error)}`, { cause: error })
    }
  }
  await refuseForeign(path, uid)
  return path
}

async function refuseForeign(path: string, uid: number): Promise<void> {
  const found = await lstat(path)
  const refuse = (what: string, advice: string): never => {
    throw new RuntimeFolderError(
      `${path} ${what}, so it is not safe for secrets: ${advice}, or set another runtime-dir`,
    )
  }
  if (found.isSymbolicLink()) refuse('is a symbolic link', 'remove it')
  if (!found.isDirectory()) refuse('is not a folder', 'remove it')
  if (found.uid !== uid) refuse(`belongs to uid ${found.uid} and this agent runs as ${uid}`, 'remove it')
  if ((found.mode & WRITABLE_BY_OTHERS) !== 0) refuse('can be written to by other users', `chmod 700 ${path}`)
}
