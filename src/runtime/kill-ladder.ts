import { setTimeout as delay } from 'node:timers/promises'

/** How often what is being ended is looked at: 5 ms at first, since most end at once, then up to 100 ms. */
const FIRST_LOOK_MS = 5
const LONGEST_LOOK_MS = 100
/** A shell that gets the hangup while it sets up its line editor forgets it (seen with bash): it is said once more. */
const HANGUP_AGAIN_MS = 300
/** After SIGKILL only a process in uninterruptible sleep remains; nobody can wait for that. */
export const KILLED_MS = 2000

/**
 * Ends a process group: `first`, `graceMs` milliseconds, SIGKILL. Settles when no process of the group is left, or
 * two seconds after SIGKILL. The group id stays ours while a member lives: the kernel does not reuse it.
 */
export async function endGroup(
  pgid: number,
  graceMs: number,
  first: 'SIGTERM' | 'SIGHUP' = 'SIGTERM',
): Promise<void> {
  const gone = (withinMs: number) => within(withinMs, () => !groupExists(pgid))
  if (!signalGroup(pgid, first)) return
  // A stopped process takes the signal only after it goes on.
  signalGroup(pgid, 'SIGCONT')
  if (first === 'SIGHUP' && !(await gone(Math.min(HANGUP_AGAIN_MS, graceMs)))) signalGroup(pgid, first)
  if (await gone(graceMs)) return
  signalGroup(pgid, 'SIGKILL')
  await gone(KILLED_MS)
}

/** Whether a process of the group is left, zombies included. */
export function groupExists(pgid: number): boolean {
  return signalGroup(pgid, 0)
}

/** Waits until it is so; false when it is not within that time. */
export async function within(ms: number, isSo: () => boolean): Promise<boolean> {
  const end = performance.now() + ms
  for (let wait = FIRST_LOOK_MS; performance.now() < end; wait = Math.min(wait * 2, LONGEST_LOOK_MS)) {
    if (isSo()) return true
    await delay(wait)
  }
  return isSo()
}

/** False when the group has no process any more. One that may not be signalled (EPERM) is still there. */
function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pgid, signal)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
