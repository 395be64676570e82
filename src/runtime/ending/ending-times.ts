// The fixed stop times, without side effects: `dev` needs them without the runtime. The grace between SIGTERM and
// SIGKILL is a setting: `kill.grace`.

/** Time after SIGKILL. What is still there is in uninterruptible sleep, and waiting does not help. */
export const KILLED_MS = 2000
/** From the end after SIGKILL to its being collected: the reaper looks twice a second. */
export const REAPED_MS = 2000
/** After the command's end a background process may go on writing. So long its output is still read. */
export const DRAIN_MS = 2000
/** An exec takes far less than a millisecond, unless its program is on a slow disk. */
export const EXEC_MS = 100

/**
 * From the first signal to the end of everything, when the output is read as it comes. What has left the group gets its
 * grace after the group's. A look for such processes that begins at the last moment still ends with a SIGKILL. At last
 * the control group is emptied.
 */
export function longestEndMs(graceMs: number): number {
  const group = graceMs + KILLED_MS + REAPED_MS + DRAIN_MS
  const orphans = orphansPatienceMs(graceMs) + EXEC_MS + KILLED_MS
  return group + orphans + KILLED_MS
}

/**
 * Processes that may not be signalled, or that the kernel does not let go, are looked at twice and not twenty times.
 */
export function orphansPatienceMs(graceMs: number): number {
  return graceMs + 2 * KILLED_MS
}
