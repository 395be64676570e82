import type { ChildProcess } from 'node:child_process'
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

/** Returns false when the group has no processes. A group that may not be signalled (EPERM) is alive. */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pgid, signal)
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}
