import { signalChild } from '../../basics/signal-child.ts'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { AgentConfiguration } from '../../config.ts'
import { readWords, removeGroup, writeValue } from '../../runtime/cgroups/cgroup-files.ts'
import { groupFolder } from '../../runtime/cgroups/cgroup-mounts.ts'
import { type Finding, broken, ok, warning } from './finding.ts'

const CONTROLLERS = ['memory', 'pids']

type Limits = Pick<AgentConfiguration, 'limitsMemoryBytes' | 'limitsProcesses'>

/**
 * Whether executions can have control groups. Moves a process of ours into a new group below our own, and removes
 * both. Not done with ControlGroups, which would divide the group and end what dead agents left in it.
 */
export async function checkControlGroups({ limitsMemoryBytes, limitsProcesses }: Limits): Promise<Finding> {
  const isLimited = limitsMemoryBytes !== undefined || limitsProcesses !== undefined
  const folder = groupFolder('v2', process.pid, `/proc/${process.pid}`)
  const obstacle =
    folder === undefined ? 'no mounted cgroup v2 shows the group of this process' : await obstacleIn(folder)
  if (folder === undefined || obstacle !== undefined) return without(obstacle ?? '', isLimited)
  const offered = readWords(path.join(folder, 'cgroup.controllers'))
  const missing = CONTROLLERS.filter((one) => !offered.includes(one))
  if (missing.length === 0) return ok(`${folder} is delegated, with ${CONTROLLERS.join(' and ')}`)
  const found = `${folder} is delegated, without ${missing.join(' and ')}`
  if (!isLimited) return ok(`${found}: executions have groups, but no limits`)
  return warning(
    found,
    'limits.memory and limits.processes need these controllers: delegate them, or remove the limits',
  )
}

function without(reason: string, isLimited: boolean): Finding {
  if (!isLimited) return ok(`none for executions, and no limit is set that would need one (${reason})`)
  return broken(
    `none for executions: ${reason}`,
    'limits.memory and limits.processes cannot be kept, and the agent does not start: delegate a cgroup v2 (systemd: Delegate=yes), or remove them',
  )
}

async function obstacleIn(folder: string): Promise<string | undefined> {
  const [type] = readWords(path.join(folder, 'cgroup.type'))
  if (type === undefined) return `${folder} is the root of all groups of this machine`
  if (type !== 'domain') return `${folder} is of the type ${type}`
  // Not a name that an agent would take for its own.
  const group = path.join(folder, `doctor-${randomBytes(4).toString('hex')}`)
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // If it could not be started, there is only an `error`, and nothing to wait for.
  const over = once(child, 'exit').catch(() => undefined)
  try {
    mkdirSync(group)
    if (child.pid === undefined) return `no process could be started to try ${folder}`
    writeValue(path.join(group, 'cgroup.procs'), child.pid)
    return undefined
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return `${folder} is not delegated to this user: ${code ?? message}`
  } finally {
    signalChild(child, 'SIGKILL')
    await over
    removeGroup(group)
  }
}
