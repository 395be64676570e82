// Beside each other, and without anything that runs: `dev` has to know how long its agent may take, and is no runtime.

/** After SIGKILL only a process in uninterruptible sleep remains; nobody can wait for that. */
export const KILLED_MS = 2000
/** From SIGKILL's end to its being collected here; the reaper looks twice a second. */
export const REAPED_MS = 2000
/** After the command's end a background process may go on to write: this much of it is read. */
export const DRAIN_MS = 2000
/** An exec takes far less than a millisecond, unless its program comes from a slow disk. */
export const EXEC_MS = 100

/**
 * From the first signal to the end of everything, with a reader that takes what comes. What has left the group gets its
 * grace behind the group's; a look for it that begins in the last moment still ends with a SIGKILL. At last the control
 * group is emptied.
 */
export function longestEndMs(graceMs: number): number {
  const group = graceMs + KILLED_MS + REAPED_MS + DRAIN_MS
  const orphans = orphansPatienceMs(graceMs) + EXEC_MS + KILLED_MS
  return group + orphans + KILLED_MS
}

/** One that may not be signalled, or that the kernel does not let go, is looked at twice and not twenty times. */
export function orphansPatienceMs(graceMs: number): number {
  return graceMs + 2 * KILLED_MS
}
