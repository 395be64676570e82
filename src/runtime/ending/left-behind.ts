import { setTimeout as delay } from 'node:timers/promises'
import { pollUntil } from './kill-ladder.ts'
import { KILLED_MS } from './ending-times.ts'
import { isMarkedBy } from './mark.ts'
import { signalProcess } from '../linux/posix.ts'
import { allProcesses, family, hasEntry, processEntry, type ProcessEntry } from './process-table.ts'

/** By what the commands of an agent are known that was killed. */
export interface DeadAgent {
  /** What `execute` was given. */
  readonly instance: string
  /** An entry `NAME=value` that the environment of all of them had; for what has no mark, or shed it. */
  readonly marker: string
}

/** A process that forks while it is being ended shows up in a later look. */
const MAX_PASSES = 20
/** In the middle of an exec a process shows no environment: nothing is left when two looks so far apart find nothing. */
const AGAIN_MS = 20

/**
 * Ends what the commands of an agent left behind that was killed: SIGTERM, `graceMs` milliseconds, SIGKILL. These
 * processes are not our children, so a number alone says nothing: see `signalIfStill`.
 * @returns how many processes were ended; settles two seconds after the SIGKILL at the latest
 */
export async function endLeftBehind(agent: DeadAgent, graceMs: number): Promise<number> {
  const signalled = new Set<string>()
  const end = performance.now() + graceMs + KILLED_MS
  let foundNothing = false
  for (let pass = 0; pass < MAX_PASSES && performance.now() < end; pass++) {
    const found = leftBehind(agent)
    if (found.length === 0 && foundNothing) break
    foundNothing = found.length === 0
    // Grace is for the first: what appears later was started by something that has been told to end.
    const graceful = signalled.size === 0
    const told = found.filter(graceful ? tellToEnd : kill)
    for (const { pid, startTime } of told) signalled.add(`${pid} ${startTime}`)
    await pollUntil(graceful ? graceMs : end - performance.now(), () => !told.some(isRunning))
    if (told.length === 0) await delay(AGAIN_MS)
  }
  return signalled.size
}

/** @returns false when it is gone, another process has its number, or it may not be signalled */
export function signalIfStill(one: ProcessEntry, signal: NodeJS.Signals): boolean {
  return signalProcess(one.pid, signal, () => isRunning(one))
}

function tellToEnd(one: ProcessEntry): boolean {
  const told = signalIfStill(one, 'SIGTERM')
  // A stopped process takes the signal only after it goes on.
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
 * The marked, who shares a session that one of them leads, and all their descendants.
 * @param self is spared with its ancestors: whoever started it was perhaps a command of the dead agent
 */
export function leftBehind({ instance, marker }: DeadAgent, self = process.pid): ProcessEntry[] {
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
