import { errnoOf } from './errors.ts'

/** False when the group has no process any more. One that may not be signalled (EPERM) is still there. */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pgid, signal)
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}
