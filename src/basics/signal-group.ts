import { errnoOf } from './errors.ts'

/** Signals a process group. False when it has no process left; one that may not be signalled (EPERM) counts. */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pgid, signal)
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}
