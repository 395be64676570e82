import { setTimeout as delay } from 'node:timers/promises'
import { signalGroup } from '../../basics/signals.ts'
import { descendants } from './process-table.ts'
import { collectOthers } from './reaper.ts'

// The fixed times of a stop. The grace between SIGTERM and SIGKILL is not here, because it is a setting
// (`kill.grace`). This file has no side effects, because `dev` imports it without the runtime.

/**
 * Milliseconds to wait after SIGKILL. Processes that are left after this time are in uninterruptible sleep.
 */
export const KILLED_MS = 2000
/** Time in milliseconds to collect a process that SIGKILL has ended. The reaper checks twice a second. */
export const REAPED_MS = 2000
/** Time for which output is still read after the command's end, if a background process holds its pipes. */
export const DRAIN_MS = 2000
/**
 * Time for an exec in milliseconds. An exec takes far less than 1 ms, unless the program is on a slow disk.
 */
export const EXEC_MS = 100

/**
 * Returns the longest time from the first signal to the end of all processes, if the output is read without
 * delay. First the command's group gets its grace. Then the processes that have left this group get the same
 * grace. Processes that are found in the last search are killed. At last the rest of the control group is
 * killed.
 */
export function longestEndMs(graceMs: number): number {
  const group = graceMs + KILLED_MS + REAPED_MS + DRAIN_MS
  const orphans = orphansPatienceMs(graceMs) + EXEC_MS + KILLED_MS
  return group + orphans + KILLED_MS
}

/**
 * Milliseconds after which no further search for processes outside the group begins. Some processes cannot be
 * ended (another user's, or stuck in the kernel). Each search waits two seconds for them.
 */
export function orphansPatienceMs(graceMs: number): number {
  return graceMs + 2 * KILLED_MS
}

/** Milliseconds between checks. Most processes end quickly. */
const FIRST_LOOK_MS = 5
const MAX_LOOK_MS = 100

/** `at` returns the milliseconds after the first signal. */
interface Rung {
  readonly signal: 'SIGHUP' | 'SIGTERM'
  readonly at: (graceMs: number) => number
}

const TERMINATE: readonly Rung[] = [{ signal: 'SIGTERM', at: () => 0 }]

/**
 * Sends the signals of the ladder within `graceMs` milliseconds, then SIGKILL. Settles when no process of the
 * group is left, or two seconds after SIGKILL.
 * @param isStill called before each signal; returns whether the number still belongs to this group, because
 * another group may get it when no member is alive
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
    // A stopped process handles the signal only after it is continued.
    signalGroup(pgid, 'SIGCONT')
  }
  if (await overBy(graceMs)) return
  signalGroup(pgid, 'SIGKILL')
  await overBy(graceMs + KILLED_MS)
}

/**
 * One SIGCHLD may announce several ended processes. So ended descendants are collected before the second
 * check.
 */
function hasEnded(pgid: number): boolean {
  if (!groupExists(pgid)) return true
  collectOthers()
  return !groupExists(pgid)
}

/** Whether a process of the group is left, zombies included. */
export function groupExists(pgid: number): boolean {
  return signalGroup(pgid, 0)
}

/** Returns false if `isSo` is not true within `ms`. */
export async function pollUntil(ms: number, isSo: () => boolean): Promise<boolean> {
  const end = performance.now() + ms
  for (let wait = FIRST_LOOK_MS; performance.now() < end; wait = Math.min(wait * 2, MAX_LOOK_MS)) {
    if (isSo()) return true
    await delay(wait)
  }
  return isSo()
}

/** Programs started with nohup ignore SIGHUP, interactive shells ignore SIGTERM. */
const JOB: readonly Rung[] = [
  { signal: 'SIGHUP', at: () => 0 },
  { signal: 'SIGTERM', at: (graceMs) => graceMs / 2 },
]

/** SIGHUP is sent twice, because bash was seen to ignore a SIGHUP while it sets up its line editor. */
const LEADER: readonly Rung[] = [
  { signal: 'SIGHUP', at: () => 0 },
  { signal: 'SIGHUP', at: (graceMs) => Math.min(300, graceMs / 4) },
  { signal: 'SIGTERM', at: (graceMs) => graceMs / 2 },
]

/**
 * Ends the command of a terminal and all jobs of the command. Stopped jobs end, too. The command leads the
 * session. Sends SIGHUP first, SIGTERM after half of `graceMs`, and SIGKILL after `graceMs`. Settles when
 * no process of these groups is left, or two seconds after SIGKILL.
 */
export async function hangUp(session: number, graceMs: number): Promise<void> {
  // The jobs are listed now: after the end of the shell they are orphans, and their numbers may be reused.
  const jobsEnd = jobs(session).map((job) => endGroup(job, graceMs, JOB, () => jobs(session).includes(job)))
  await Promise.all([endGroup(session, graceMs, LEADER), ...jobsEnd])
}

/**
 * Lists the groups that a shell has made for its commands. A signal to the shell's own group does not reach
 * these groups.
 */
function jobs(session: number): number[] {
  const members = descendants(session).filter((one) => one.session === session)
  return [...new Set(members.map(({ group }) => group))].filter((group) => group !== session)
}
