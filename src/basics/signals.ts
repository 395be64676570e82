import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { errnoOf } from './errors.ts'

/** Default of `kill.grace`: time between SIGTERM and SIGKILL when a command is ended. */
export const KILL_GRACE_MS = 10_000

/**
 * Use this instead of `child.kill`. For a child that could not start, Node signals process 0 (our own process
 * group) or a random number, until the child has reported its error (seen with Node 20). Returns false when
 * there is no process.
 */
export function signalChild(child: ChildProcess, signal: NodeJS.Signals): boolean {
  return child.pid !== undefined && child.kill(signal)
}

/**
 * Returns false when the group has no processes. A group that may not be signalled (EPERM) is alive. Never
 * signals this process's own group, in which the helpers of SDKs run (`credential_process` of AWS). To kill(2)
 * the group 0 is the own group as well, and the group 1 is every process; the kernel shows 0 for a group of
 * another pid namespace, and -1 for a process that is just ending.
 */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  if (pgid <= 1 || pgid === ownGroup()) return false
  try {
    return process.kill(-pgid, signal)
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}

let group: number | undefined

/** Returns 0 on systems without /proc. No process changes the group of another one after its exec. */
function ownGroup(): number {
  return (group ??= groupIn('/proc/self/stat'))
}

function groupIn(file: string): number {
  try {
    const stat = readFileSync(file, 'latin1')
    // The fields after the program's name: state, parent, group.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
  } catch {
    return 0
  }
}
