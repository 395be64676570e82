import { endGroup, type Rung } from './kill-ladder.ts'
import { descendants } from './process-table.ts'

/** Programs started with nohup ignore SIGHUP, interactive shells ignore SIGTERM. */
const JOB: readonly Rung[] = [
  { signal: 'SIGHUP', at: () => 0 },
  { signal: 'SIGTERM', at: (graceMs) => graceMs / 2 },
]

/** A shell that gets the SIGHUP while it sets up its line editor forgets it (seen with bash), so it is sent again. */
const LEADER: readonly Rung[] = [
  { signal: 'SIGHUP', at: () => 0 },
  { signal: 'SIGHUP', at: (graceMs) => Math.min(300, graceMs / 4) },
  { signal: 'SIGTERM', at: (graceMs) => graceMs / 2 },
]

/**
 * Ends the command of a terminal, which leads a session of its own, and its jobs, whether in the foreground, in the
 * background or stopped. SIGHUP first, SIGTERM after half of `graceMs`, SIGKILL at its end. Settles as `endGroup` does.
 */
export async function hangUp(session: number, graceMs: number): Promise<void> {
  // When the shell has ended, its jobs are orphans, and their numbers may be used again.
  const jobsEnd = jobs(session).map((job) => endGroup(job, graceMs, JOB, () => jobs(session).includes(job)))
  await Promise.all([endGroup(session, graceMs, LEADER), ...jobsEnd])
}

/** Process groups that a shell has made for its commands. A signal to the shell's own group does not reach them. */
function jobs(session: number): number[] {
  const members = descendants(session).filter((one) => one.session === session)
  return [...new Set(members.map(({ group }) => group))].filter((group) => group !== session)
}
