import { setTimeout as delay } from 'node:timers/promises'
import { pollUntil } from './kill-ladder.ts'
import { KILLED_MS } from './ending-times.ts'
import { isMarkedBy } from './mark.ts'
import { signalProcess } from '../linux/posix.ts'
import { allProcesses, family, hasEntry, processEntry, type ProcessEntry } from './process-table.ts'

/** How to recognise the commands of an agent that was killed. */
export interface DeadAgent {
  /** What `execute` was given as `instance`. */
  readonly instance: string
  /** An entry `NAME=value` in the environment of all of them; for processes without a mark. */
  readonly marker: string
}

/** How many times to look. A process that forks while it is being ended is found by a later look. */
const MAX_PASSES = 20
/**
 * Wait between looks. During an exec a process shows no environment, so only two empty looks, this far apart, mean
 * that nothing is left.
 */
const AGAIN_MS = 20

/**
 * Ends the processes that a killed agent's commands left behind: SIGTERM, `graceMs` milliseconds, SIGKILL. They are not
 * our children, so a number alone proves nothing: see `signalIfStill`.
 * @returns how many processes were ended; settles at most two seconds after the SIGKILL
 */
export async function endProcessesOf(agent: DeadAgent, graceMs: number): Promise<number> {
  const signalled = new Set<string>()
  const end = performance.now() + graceMs + KILLED_MS
  let foundNothing = false
  for (let pass = 0; pass < MAX_PASSES && performance.now() < end; pass++) {
    const found = processesOf(agent)
    if (found.length === 0 && foundNothing) break
    foundNothing = found.length === 0
    // Only processes found at first get a grace. Later ones were started by a process that was already told to end.
    const graceful = signalled.size === 0
    const told = found.filter(graceful ? tellToEnd : kill)
    for (const { pid, startTime } of told) signalled.add(`${pid} ${startTime}`)
    await pollUntil(graceful ? graceMs : end - performance.now(), () => !told.some(isRunning))
    if (told.length === 0) await delay(AGAIN_MS)
  }
  return signalled.size
}

/** @returns false when it is gone, its number belongs to another process, or it may not be signalled */
export function signalIfStill(one: ProcessEntry, signal: NodeJS.Signals): boolean {
  return signalProcess(one.pid, signal, () => isRunning(one))
}

function tellToEnd(one: ProcessEntry): boolean {
  const told = signalIfStill(one, 'SIGTERM')
  // A stopped process handles the signal only when it goes on.
  if (told) signalIfStill(one, 'SIGCONT')
  return told
}

function kill(one: ProcessEntry): boolean {
  return signalIfStill(one, 'SIGKILL')
}

function isRunning({ pid, startTime }: ProcessEntry): boolean {
  const now = processEntry(pid)
  return now?.startTime === startTime && !now.ended
}

/**
 * Marked processes, those in a session that a marked one leads, and all their descendants.
 * @param self is spared, with its ancestors: the command that started us may have been one of the dead agent's
 */
export function processesOf({ instance, marker }: DeadAgent, self = process.pid): ProcessEntry[] {
  const table = allProcesses().filter(({ ended }) => !ended)
  const spared = selfAndAncestors(self, table)
  const isMarked = (pid: number) => isMarkedBy(instance, pid) || hasEntry(pid, marker)
  const marked = table.filter(({ pid }) => !spared.has(pid) && isMarked(pid))
  const sessions = new Set(marked.filter(({ pid, session }) => pid === session).map(({ pid }) => pid))
  const members = table.filter(({ session }) => sessions.has(session))
  return family(table, new Set([...marked, ...members].map(({ pid }) => pid)), spared)
}

function selfAndAncestors(self: number, table: readonly ProcessEntry[]): ReadonlySet<number> {
  const parents = new Map(table.map(({ pid, parent }) => [pid, parent]))
  const spared = new Set([1])
  for (let pid: number | undefined = self; pid !== undefined && !spared.has(pid); pid = parents.get(pid))
    spared.add(pid)
  return spared
}
