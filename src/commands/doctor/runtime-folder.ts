import { existsSync } from 'node:fs'
import path from 'node:path'
import type { AgentConfiguration } from '../../config.ts'
import { RuntimeFolderError } from '../../envvars/errors.ts'
import { chooseRuntimeBase, findUserFolder } from '../../envvars/folder/runtime-base.ts'
import type { Finding } from './finding.ts'
import { broken, ok, warning } from './finding.ts'
import { inUnits, volumeOf } from './free-space.ts'
import { nearestExisting, obstacleTo } from './writable-folder.ts'

/** Secret files are keys, certificates, kubeconfigs: many sessions' fit. */
const LITTLE_BYTES = 16 * 1024 ** 2

/** Where secret files of commands would go. Looks and tries, but makes none of the agent's folders. */
export async function checkRuntimeFolder(
  { runtimeDir }: Pick<AgentConfiguration, 'runtimeDir'>,
  env: NodeJS.ProcessEnv,
): Promise<Finding> {
  const { named, origin } = choice(runtimeDir, env)
  try {
    // One that is named is made by the agent when it is missing; not by us.
    if (named !== undefined && path.isAbsolute(named) && !existsSync(named))
      return await missing(named, origin)
    const base = await chooseRuntimeBase({ preferred: runtimeDir, env })
    const { path: users = base, refused } = findUserFolder(base)
    const finding = await judge(users, origin ?? fallback(base))
    return refused === undefined || finding.level === 'broken' ? finding : passedOver(refused, finding)
  } catch (error) {
    if (!(error instanceof RuntimeFolderError)) throw error
    return broken(error.message, 'The agent does not start like this')
  }
}

/** One that is somebody else's, a link, or open to others. */
function passedOver(refused: string, { found }: Finding): Finding {
  const instead = 'agents take a folder of six more characters beside it'
  return warning(`${refused}, so ${instead}: ${found}`, 'Remove what is there, and start the agent again')
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
      `${folder} (${origin}) does not exist and cannot be made: ${obstacle}`,
      'Make it, 0700 and owned by the user of the agent',
    )
  return judge(nearestExisting(folder), `${origin} ${folder}, which the agent will make`)
}

async function judge(folder: string, origin: string): Promise<Finding> {
  const obstacle = await obstacleTo(folder)
  const { freeBytes, hasInodes, isMemory } = await volumeOf(folder)
  const found = `${folder} (${origin}), ${isMemory ? 'in memory' : 'on a disk'}, ${inUnits(freeBytes)} free`
  if (obstacle !== undefined)
    return broken(`${found}: nothing can be made there: ${obstacle}`, 'Set runtime-dir')
  if (!hasInodes) return broken(`${found}, but no inodes`, 'Remove files there, or set runtime-dir')
  if (freeBytes < LITTLE_BYTES) return warning(found, 'Free some space: secret files of commands go there')
  if (!isMemory)
    return warning(found, 'Secrets of commands reach the disk: set runtime-dir to a folder on a tmpfs')
  return ok(found)
}
