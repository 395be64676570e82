import { existsSync, constants } from 'node:fs'
import path from 'node:path'
import { SetUpError } from '../../basics/set-up-error.ts'
import type { AgentConfiguration } from '../../config.ts'
import { chooseRuntimeBase, findUserFolder } from '../../envvars/folder/runtime-base.ts'
import { sizeText } from '../../basics/text/units.ts'
import { type Finding, broken, ok, warning, obstacleTo, nearestExisting, readVolume } from '../examination.ts'
import { access } from 'node:fs/promises'

/** Enough for the secret files (keys, certificates) of many sessions. */
const LITTLE_BYTES = 16 * 1024 ** 2

/** Checks the folder for secret files of commands. The check creates no folder of the agent. */
export async function checkRuntimeFolder(
  { runtimeDir }: Pick<AgentConfiguration, 'runtimeDir'>,
  env: NodeJS.ProcessEnv,
): Promise<Finding> {
  const { named, origin } = choice(runtimeDir, env)
  try {
    // The agent would create a missing folder of the settings. This check must not.
    if (named !== undefined && path.isAbsolute(named) && !existsSync(named))
      return await missing(named, origin)
    const base = await chooseRuntimeBase({ preferred: runtimeDir, env })
    const { path: users = base, refused } = findUserFolder(base)
    const finding = await judge(users, origin ?? fallback(base))
    return refused === undefined || finding.level === 'broken' ? finding : passedOver(refused, finding)
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error
    return broken(
      error.message,
      'The agent does not start with this folder: correct runtime-dir or the folder',
    )
  }
}

/**
 * Warns that agents use another folder, because the usual folder belongs to another user, is a link, or is
 * open to other users.
 */
function passedOver(refused: string, { found }: Finding): Finding {
  const instead = 'agents use another folder (its name has six more characters)'
  return warning(`${refused}, so ${instead}: ${found}`, 'Remove the unusable folder, and restart the agent')
}

function choice(setting: string | undefined, env: NodeJS.ProcessEnv): { named?: string; origin?: string } {
  if (setting) return { named: setting, origin: 'runtime-dir' }
  const [systemd] = (env['RUNTIME_DIRECTORY'] ?? '').split(':')
  return systemd ? { named: systemd, origin: 'RUNTIME_DIRECTORY' } : {}
}

function fallback(base: string): string {
  return base === '/dev/shm' ? 'shared memory' : 'the temporary folder'
}

async function missing(folder: string, origin = ''): Promise<Finding> {
  const obstacle = await obstacleTo(folder)
  if (obstacle !== undefined)
    return broken(
      `${folder} (${origin}) does not exist and cannot be created: ${obstacle}`,
      'Create it with mode 0700, owned by the user of the agent',
    )
  return judge(nearestExisting(folder), `${origin} ${folder}, which the agent will create`)
}

async function judge(folder: string, origin: string): Promise<Finding> {
  const obstacle = await obstacleTo(folder)
  const { freeBytes, hasInodes, isMemory } = await readVolume(folder)
  const found = `${folder} (${origin}), ${isMemory ? 'in memory' : 'on a disk'}, ${sizeText(freeBytes)} free`
  if (obstacle !== undefined)
    return broken(`${found}: cannot create files there: ${obstacle}`, 'Set runtime-dir')
  if (!hasInodes) return broken(`${found}, but no free inodes`, 'Remove files there, or set runtime-dir')
  if (freeBytes < LITTLE_BYTES) return warning(found, 'Free some space for the secret files of commands')
  if (!isMemory)
    return warning(
      found,
      'Secrets of commands are written to the disk: set runtime-dir to a folder on a tmpfs',
    )
  return ok(found)
}

const ADVICE = 'Give the folder to the user of the agent, or set state-dir'

export async function checkStateFolder({
  stateDir,
  journalBytes,
}: Pick<AgentConfiguration, 'stateDir' | 'journalBytes'>): Promise<Finding> {
  const obstacle = await obstacleTo(stateDir)
  if (obstacle !== undefined) return broken(`${stateDir}: cannot create files there: ${obstacle}`, ADVICE)
  const journal = path.join(stateDir, 'journal.jsonl')
  if (journalBytes > 0 && existsSync(journal) && !(await isWritable(journal)))
    return broken(`this user cannot write to ${journal}: executions would not be recorded`, ADVICE)
  const { freeBytes, hasInodes } = await readVolume(nearestExisting(stateDir))
  const made = existsSync(stateDir) ? '' : ', which the agent will create'
  const found = `${stateDir}${made}, ${sizeText(freeBytes)} free`
  if (!hasInodes) return broken(`${found}, but no free inodes`, 'Remove files from that file system')
  if (freeBytes < journalBytes)
    return warning(found, `Free some space: the journal may grow to ${sizeText(journalBytes)}`)
  return ok(found)
}

async function isWritable(file: string): Promise<boolean> {
  return access(file, constants.W_OK).then(
    () => true,
    () => false,
  )
}
