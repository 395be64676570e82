import { setTimeout as delay } from 'node:timers/promises'
import { signalGroup } from '../../basics/signal-group.ts'
import { KILLED_MS } from './ending-times.ts'
import { collectOthers } from './reaper.ts'

/**
 * How often to check whether processes are gone: after 5 ms at first, since most end at once, then up to every 100 ms.
 */
const FIRST_LOOK_MS = 5
const LONGEST_LOOK_MS = 100

/** A signal, and when it is sent: so many milliseconds after the first one, for a given grace. */
export interface Rung {
  readonly signal: 'SIGHUP' | 'SIGTERM'
  readonly at: (graceMs: number) => number
}

const TERMINATE: readonly Rung[] = [{ signal: 'SIGTERM', at: () => 0 }]

/**
 * Ends a process group: the signals of the ladder within `graceMs` milliseconds, then SIGKILL. Settles when no process
 * of the group is left, or two seconds after SIGKILL.
 * @param isStill asked before each signal, because the number may go to another group once no member is alive
 */
export async function endGroup(
  pgid: number,
  graceMs: number,
  ladder: readonly Rung[] = TERMINATE,
  isStill: () => boolean = () => true,
): Promise<void> {
  const from = performance.now()
  const overBy = (ms: number) => pollUntil(from + ms - performance.now(), () => hasEnded(pgid) || !isStill())
  for (const { signal, at } of ladder) {
    if (await overBy(at(graceMs))) return
    signalGroup(pgid, signal)
    // A stopped process handles the signal only when it goes on.
    signalGroup(pgid, 'SIGCONT')
  }
  if (await overBy(graceMs)) return
  signalGroup(pgid, 'SIGKILL')
  await overBy(graceMs + KILLED_MS)
}

/** The ends of a child and of its descendants come as one signal, so the descendants may not be collected yet. */
function hasEnded(pgid: number): boolean {
  if (!groupExists(pgid)) return true
  collectOthers()
  return !groupExists(pgid)
}

/** Whether a process of the group is left, zombies included. */
export function groupExists(pgid: number): boolean {
  return signalGroup(pgid, 0)
}

/** Waits until `isSo`; false when that takes longer. */
export async function pollUntil(ms: number, isSo: () => boolean): Promise<boolean> {
  const end = performance.now() + ms
  for (let wait = FIRST_LOOK_MS; performance.now() < end; wait = Math.min(wait * 2, LONGEST_LOOK_MS)) {
    if (isSo()) return true
    await delay(wait)
  }
  return isSo()
}
