import { setTimeout as delay } from 'node:timers/promises'
import { signalGroup } from '../../basics/signals.ts'
import { descendants } from './process-table.ts'
import { collectOthers } from './reaper.ts'

// The fixed times of a stop. This file has no side effects, because `dev` imports it without the runtime.
// The grace between SIGTERM and SIGKILL is a setting: `kill.grace`.

/**
 * Time to wait after SIGKILL, in milliseconds. Processes that are left after this time are in
 * uninterruptible sleep, and a longer wait does not help.
 */
export const KILLED_MS = 2000
/** Time in milliseconds to collect a process that SIGKILL has ended. The reaper checks twice a second. */
export const REAPED_MS = 2000
/** Time for which output is still read after the command's end, when a background process holds its pipes. */
export const DRAIN_MS = 2000
/**
 * Time for an exec, in milliseconds. It takes far less than a millisecond if the program is not on a slow
 * disk.
 */
export const EXEC_MS = 100

/**
 * Returns the maximum time from the first signal to the end of all processes, if the output is read without
 * delay. Three steps follow each other. First the command's group is ended, with its grace. Then processes
 * that have left the group are ended, with the same grace; processes found by the last search are killed. At
 * last the remaining processes of the control group are killed.
 */
export function longestEndMs(graceMs: number): number {
  const group = graceMs + KILLED_MS + REAPED_MS + DRAIN_MS
  const orphans = orphansPatienceMs(graceMs) + EXEC_MS + KILLED_MS
  return group + orphans + KILLED_MS
}

/**
 * Returns the time in milliseconds after which no further search for processes outside the group begins.
 * Without this limit, processes that cannot be ended (another user's, or stuck in the kernel) would cost two
 * seconds in each search.
 */
export function orphansPatienceMs(graceMs: number): number {
  return graceMs + 2 * KILLED_MS
}

/** Waits between checks for a change: first 5 ms, since most processes end quickly, later up to 100 ms. */
const FIRST_LOOK_MS = 5
const LONGEST_LOOK_MS = 100

/**
 * A signal of a ladder. `at` returns the milliseconds after the first signal at which this signal is sent.
 */
interface Rung {
  readonly signal: 'SIGHUP' | 'SIGTERM'
  readonly at: (graceMs: number) => number
}

const TERMINATE: readonly Rung[] = [{ signal: 'SIGTERM', at: () => 0 }]

/**
 * Ends a process group: sends the signals of the ladder within `graceMs` milliseconds, then SIGKILL. Settles
 * when no process of the group is left, or two seconds after SIGKILL.
 * @param isStill called before each signal, because another group may get the number when no member is alive
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
 * Whether the group has ended. One SIGCHLD may announce several ended processes, so ended descendants are
 * collected before the second check.
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

/** Waits until `isSo` returns true. @returns false when this takes longer than `ms` */
export async function pollUntil(ms: number, isSo: () => boolean): Promise<boolean> {
  const end = performance.now() + ms
  for (let wait = FIRST_LOOK_MS; performance.now() < end; wait = Math.min(wait * 2, LONGEST_LOOK_MS)) {
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

/**
 * SIGHUP is sent twice, because a shell that receives SIGHUP while it sets up its line editor ignores the
 * signal (seen with bash).
 */
const LEADER: readonly Rung[] = [
  { signal: 'SIGHUP', at: () => 0 },
  { signal: 'SIGHUP', at: (graceMs) => Math.min(300, graceMs / 4) },
  { signal: 'SIGTERM', at: (graceMs) => graceMs / 2 },
]

/**
 * Ends the command of a terminal, which leads a session of its own, and its jobs: in the foreground, in the
 * background and stopped. Sends SIGHUP, SIGTERM after half of `graceMs`, and SIGKILL at its end. Settles like
 * `endGroup`.
 */
export async function hangUp(session: number, graceMs: number): Promise<void> {
  // The jobs are listed now, because they are orphans after the end of the shell. Then their numbers may be
  // reused.
  const jobsEnd = jobs(session).map((job) => endGroup(job, graceMs, JOB, () => jobs(session).includes(job)))
  await Promise.all([endGroup(session, graceMs, LEADER), ...jobsEnd])
}

/**
 * Lists process groups that a shell has made for its commands. A signal to the shell's own group does not
 * reach them.
 */
function jobs(session: number): number[] {
  const members = descendants(session).filter((one) => one.session === session)
  return [...new Set(members.map(({ group }) => group))].filter((group) => group !== session)
}
