import { endGroup, type Rung } from './kill-ladder.ts'
import { descendants } from './process-table.ts'

/** What was started with nohup ignores the hangup, interactive shells ignore SIGTERM. */
const JOB: readonly Rung[] = [
  { signal: 'SIGHUP', at: () => 0 },
  { signal: 'SIGTERM', at: (graceMs) => graceMs / 2 },
]

/** A shell that gets the hangup while it sets up its line editor forgets it (seen with bash): it is said once more. */
const LEADER: readonly Rung[] = [
  { signal: 'SIGHUP', at: () => 0 },
  { signal: 'SIGHUP', at: (graceMs) => Math.min(300, graceMs / 4) },
  { signal: 'SIGTERM', at: (graceMs) => graceMs / 2 },
]

/**
 * Ends the command of a terminal, which leads a session of its own, and the jobs that it runs, in the foreground, in the
 * background or stopped: SIGHUP, half of `graceMs` later SIGTERM, at its end SIGKILL. Settles as `endGroup` does.
 */
export async function hangUp(session: number, graceMs: number): Promise<void> {
  // What a shell that ends leaves behind is no job any more but an orphan, and its number is not kept for it.
  const jobsEnd = jobs(session).map((job) => endGroup(job, graceMs, JOB, () => jobs(session).includes(job)))
  await Promise.all([endGroup(session, graceMs, LEADER), ...jobsEnd])
}

/** Process groups that a shell has made of its commands: a signal to its own group does not reach them. */
function jobs(session: number): number[] {
  const members = descendants(session).filter((one) => one.session === session)
  return [...new Set(members.map(({ group }) => group))].filter((group) => group !== session)
}
