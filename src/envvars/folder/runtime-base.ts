import { errnoOf } from '../../basics/errors.ts'
import { constants, lstatSync } from 'node:fs'
import { access, mkdir, mkdtemp, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, isAbsolute, join } from 'node:path'
import { namesIn } from '../../basics/files/access.ts'
import { objectionTo } from '../../basics/files/private-path.ts'
import { SetUpError } from '../../basics/set-up-error.ts'

/** `f_type` of a tmpfs (linux/magic.h). Files of a tmpfs reach a disk only by swap. */
const TMPFS = 0x01021994

export interface RuntimeBaseRequest {
  /** The `runtime-dir` setting, an absolute path. A missing folder is created. */
  readonly preferred?: string | undefined
  /** Contains systemd's RUNTIME_DIRECTORY, if it is set. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The mount point of shared memory (default: /dev/shm). */
  readonly sharedMemory?: string
}

/**
 * Chooses the folder for secret files. The order is: the setting, systemd's folder, shared memory, the
 * temporary folder. If the setting's folder is unusable, the function fails, because secrets could be written
 * to a disk in another folder.
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
    throw new SetUpError(`${setting} must be an absolute path, but is ${path}`)
  }
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await access(path, constants.W_OK | constants.X_OK)
    return path
  } catch (error) {
    const advice = `make it a folder this agent's user can write to, or set another ${setting}`
    throw new SetUpError(`${setting} ${path} cannot be used: ${errnoOf(error)}; ${advice}`, {
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

/** A folder that all agents of this user share. */
interface UserFolder {
  readonly path: string
  /** The path of the usual folder, and why that folder is not used. */
  readonly refused?: string
}

/**
 * Returns `<base>/runbook-agent-<uid>`, and creates it if needed. It must be a real folder that belongs to
 * this user and is closed to others. Often all users may write to the base, so another user may have made
 * this path. Agents then share a folder beside it, with six more characters in its name. Therefore no other
 * user can prevent the start of agents.
 */
export async function ensureUserFolder(base: string): Promise<UserFolder> {
  const usual = usualFolder(base)
  try {
    await mkdir(usual, { mode: 0o700 })
    return { path: usual }
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw unmakeable(usual, error)
  }
  const { path, refused } = findUserFolder(base)
  if (path !== undefined) return { path, ...(refused !== undefined && { refused }) }
  const fresh = await mkdtemp(`${usual}-`).catch((error: unknown) => {
    throw unmakeable(`a folder beside ${usual}`, error)
  })
  return { path: fresh, ...(refused !== undefined && { refused }) }
}

/** Like `ensureUserFolder`, but creates no folder. If no usable folder exists, the result has no path. */
export function findUserFolder(base: string): Partial<UserFolder> {
  const usual = usualFolder(base)
  const found = lstatSync(usual, { throwIfNoEntry: false })
  const objection = found && objectionTo(found, 'folder')
  if (found !== undefined && objection === undefined) return { path: usual }
  const [path] = userFolders(base)
  return {
    ...(path !== undefined && { path }),
    ...(objection !== undefined && { refused: `${usual} ${objection}` }),
  }
}

/**
 * Returns the usual folder and the folders beside it that belong to this user. Agents may have left files in
 * all of them.
 */
export function userFolders(base: string): string[] {
  const usual = basename(usualFolder(base))
  return namesIn(base)
    .filter((name) => name === usual || (name.startsWith(`${usual}-`) && name.length === usual.length + 7))
    .map((name) => join(base, name))
    .filter(isOurs)
    .sort()
}

function isOurs(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found !== undefined && objectionTo(found, 'folder') === undefined
}

function usualFolder(base: string): string {
  return join(base, `runbook-agent-${process.geteuid?.() ?? 0}`)
}

function unmakeable(path: string, cause: unknown): SetUpError {
  return new SetUpError(`cannot make ${path}: ${errnoOf(cause)}`, { cause })
}
