// The fixed stop times, without side effects: `dev` needs them without the runtime. The grace between SIGTERM and
// SIGKILL is a setting: `kill.grace`.

/** Time after SIGKILL. What is still there then is in uninterruptible sleep, and more waiting does not help. */
export const KILLED_MS = 2000
/** Time to collect a process that SIGKILL has ended. The reaper looks twice a second. */
export const REAPED_MS = 2000
/** How long output is still read after the command's end, when a background process holds its pipes. */
export const DRAIN_MS = 2000
/** Time for an exec. It takes far less than a millisecond, unless the program is on a slow disk. */
export const EXEC_MS = 100

/**
 * The longest time from the first signal to the end of everything, if the output is read as it comes. Processes
 * outside the group get their grace after the group's. A look for them that begins at the last moment still ends with
 * a SIGKILL. Finally the control group is emptied.
 */
export function longestEndMs(graceMs: number): number {
  const group = graceMs + KILLED_MS + REAPED_MS + DRAIN_MS
  const orphans = orphansPatienceMs(graceMs) + EXEC_MS + KILLED_MS
  return group + orphans + KILLED_MS
}

/**
 * Time spent on processes that may not be signalled, or that the kernel does not let go: enough for two looks, not
 * for twenty.
 */
export function orphansPatienceMs(graceMs: number): number {
  return graceMs + 2 * KILLED_MS
}
