import { errnoOf } from '../../basics/errors.ts'
import { randomUUID } from 'node:crypto'
import { readdir, rename, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { RuntimeFolderError } from '../errors.ts'
import { isAbandoned, isSilent, ownerState } from './owner.ts'
import { removeTree } from './remove-tree.ts'
import { SESSION_PREFIX } from '../secret-files.ts'

const UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const INSTANCE = new RegExp(`^${UUID}$`)
/** A folder that is being made (`.new-`) or removed (`.old-`). */
const PASSING = new RegExp(`^\\.(new|old)-${UUID}$`)

export interface SweepResult {
  /** Session folders that were removed with their agents' folders. */
  readonly sessions: number
  /** What could not be read or removed. The next sweep tries again. */
  readonly errors: readonly RuntimeFolderError[]
}

/**
 * Removes what agents left behind when they ended without cleaning up. `own` is the caller's instance. Never touches
 * a living agent's instance or anything an agent does not make, and follows no link.
 */
export async function sweepInstances(userFolder: string, own: string): Promise<SweepResult> {
  let sessions = 0
  const errors: RuntimeFolderError[] = []
  for (const name of await listFolders(userFolder, errors)) {
    if (name === own) continue
    try {
      sessions += await sweepOne(userFolder, name)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') errors.push(sweepError(join(userFolder, name), error))
    }
  }
  return { sessions, errors }
}

/**
 * The instances whose agents have certainly ended, on this machine and in this pid namespace: only their processes can
 * be looked for. What cannot be read is left out; the sweep will report it.
 */
export async function abandonedInstances(userFolder: string, own: string): Promise<string[]> {
  const abandoned: string[] = []
  for (const name of await listFolders(userFolder, [])) {
    if (name === own || !INSTANCE.test(name)) continue
    const state = await ownerState(join(userFolder, name)).catch(() => undefined)
    if (state === 'ended') abandoned.push(name)
  }
  return abandoned
}

async function listFolders(path: string, errors: RuntimeFolderError[]): Promise<string[]> {
  try {
    const found = await readdir(path, { withFileTypes: true })
    return found.filter((item) => item.isDirectory()).map(({ name }) => name)
  } catch (error) {
    errors.push(sweepError(path, error))
    return []
  }
}

/** @returns how many session folders were removed. ENOENT means that another agent was faster */
async function sweepOne(userFolder: string, name: string): Promise<number> {
  const path = join(userFolder, name)
  if (PASSING.test(name)) return (await isSilent(path)) ? removeInstance(path) : 0
  if (!INSTANCE.test(name) || !(await isAbandoned(path))) return 0
  // Renamed first: when two agents start at the same time only one gets it, and nobody sees a half-removed folder.
  // Touched before that, or others would take it for a leftover of an old sweep.
  const now = new Date()
  await utimes(path, now, now)
  const retired = join(userFolder, `.old-${randomUUID()}`)
  await rename(path, retired)
  return removeInstance(retired)
}

async function removeInstance(path: string): Promise<number> {
  const sessions = (await readdir(path)).filter((name) => name.startsWith(SESSION_PREFIX)).length
  await removeTree(path)
  return sessions
}

function sweepError(path: string, error: unknown): RuntimeFolderError {
  const message = `cannot remove what an earlier agent left in ${path}: ${errnoOf(error)}`
  return new RuntimeFolderError(message, { cause: error })
}
