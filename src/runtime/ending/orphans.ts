import { openSync, readSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { becomeSubreaper, signalProcess } from '../linux/posix.ts'
import { endGroup, EXEC_MS, KILLED_MS, orphansPatienceMs, pollUntil } from './kill-ladder.ts'
import {
  allProcesses,
  family,
  hasEntry,
  isMarkedBy,
  isTaken,
  ofOneAgent,
  processEntry,
  type ProcessEntry,
  releaseMark,
  softLocksLimit,
  whyUnmarked,
} from './process-table.ts'
import { onOtherEnds, reapOrphan, runningPids } from './reaper.ts'

/** The marks by which the commands of a killed agent are recognised. */
export interface DeadAgent {
  /** The `instance` that `execute` was called with. */
  readonly instance: string
  /** An entry `NAME=value` in the environment of all its commands, to find processes without a mark. */
  readonly marker: string
}

/**
 * Maximum number of searches. If a process forks while it is being ended, a later search finds the new
 * process.
 */
const MAX_SWEEPS = 20
/**
 * Wait between searches, in milliseconds. During an exec a process shows no environment. So only two empty
 * searches with this wait between them mean that no process is left.
 */
const AGAIN_MS = 20

/**
 * Ends the processes that a killed agent's commands left, with SIGTERM and after `graceMs` with SIGKILL.
 * They are not children of this process, so a pid may already belong to another process (see
 * `signalIfStill`).
 * @returns the number of ended processes; settles at most two seconds after the SIGKILL
 */
export async function endProcessesOf(agent: DeadAgent, graceMs: number): Promise<number> {
  const signalled = new Set<string>()
  const end = performance.now() + graceMs + KILLED_MS
  let foundNothing = false
  for (let pass = 0; pass < MAX_SWEEPS && performance.now() < end; pass++) {
    const found = processesOf(agent)
    if (found.length === 0 && foundNothing) break
    foundNothing = found.length === 0
    // Only processes of the first search get a grace. Processes that are found later were started by a
    // process that was already told to end.
    const graceful = signalled.size === 0
    const told = found.filter(graceful ? tellToEnd : kill)
    for (const { pid, startTime } of told) signalled.add(`${pid} ${startTime}`)
    await pollUntil(graceful ? graceMs : end - performance.now(), () => !told.some(isRunning))
    if (told.length === 0) await delay(AGAIN_MS)
  }
  return signalled.size
}

/**
 * @returns false when the process has ended, its pid belongs to another process, or it may not be signalled
 */
export function signalIfStill(one: ProcessEntry, signal: NodeJS.Signals): boolean {
  return signalProcess(one.pid, signal, () => isRunning(one))
}

function tellToEnd(one: ProcessEntry): boolean {
  const told = signalIfStill(one, 'SIGTERM')
  // A stopped process handles the signal only after it is continued.
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
 * Finds marked processes, processes in a session that a marked process leads, and all their descendants.
 * @param self left out, with its ancestors, because a command of the dead agent may have started this agent
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

/**
 * Processes that a command leaves in a session of their own (`setsid`, a double fork) are not reached by a
 * signal to its group. The agent is their subreaper, so the kernel makes them its children when their parent
 * ends. They are found in the agent's list of children, which is one small file, so that not the whole of
 * /proc is read after each execution. An adopted process keeps its pid until it is collected here, so the
 * pid cannot belong to another process.
 *
 * The file lists the children of the main thread, to which the kernel gives adopted processes. Commands are
 * children of the thread that has started them, in libuv's pool. Commands are never in this file before
 * their pids are known here.
 */
let childrenFile: number | undefined
const page = Buffer.alloc(4096)

/** The marks by which an execution's orphans are recognised. */
export interface OrphanOwner {
  /** The mark of the execution's processes; undefined on systems without marks. */
  readonly mark: bigint | undefined
  /** An entry `NAME=value` of the execution's environment that no other execution has. */
  readonly marker: string
  /**
   * The command's pid, which is also its session's id. Undefined while the command starts, or if it could
   * not be started.
   */
  session?: number | undefined
}

/** Executions that have not ended. */
const owners = new Set<OrphanOwner>()
/** Executions among `owners` that may leave processes on purpose. */
const undecided = new Set<OrphanOwner>()
/** Whether an execution has left processes on purpose, and an adopted process is still alive. */
let someLeft = false
/**
 * Adopted processes that are not ended, because they are older than all executions or could not be ended
 * (for example another user's).
 */
const spared = new Set<number>()

/**
 * Maximum number of searches; after these a fork storm is given up. If a process forks while it is being
 * ended, a later search finds the new process.
 */
const MAX_PASSES = 20

/**
 * Makes this process adopt orphans. Call this only if this runtime starts all children of the process,
 * because it will collect every child.
 * @throws if the kernel does not have the file (CONFIG_PROC_CHILDREN)
 */
export function adoptOrphans(): void {
  const file = openSync(`/proc/self/task/${process.pid}/children`, 'r')
  becomeSubreaper()
  childrenFile = file
  // These children were started by a shell, before it became this process by exec.
  for (const pid of children()) spared.add(pid)
  onOtherEnds(adopted)
}

/**
 * Registers an execution. Call this before it starts its command. The registration ends with `endOrphans`, or
 * with `leaveOrphans` if the execution may leave processes and was not terminated, or with `unregisterOwner` if
 * nothing was started.
 */
export function registerOwner(owner: OrphanOwner, mayLeave: boolean): OrphanOwner {
  owners.add(owner)
  if (mayLeave) undecided.add(owner)
  return owner
}

/**
 * Ends the registration without ending the processes that the execution left. They are still collected when
 * they end.
 */
export function leaveOrphans(owner: OrphanOwner): void {
  someLeft = true
  unregisterOwner(owner)
  adopted()
}

/**
 * Ends the processes that an execution left: its orphans, their descendants, and orphans without an owner.
 * @returns the processes that were ended
 */
export async function endOrphans(owner: OrphanOwner, graceMs: number): Promise<ReadonlySet<number>> {
  undecided.delete(owner)
  try {
    const ended = await endAll(owner, graceMs)
    for (const pid of adopted()) if (ended.has(pid)) spared.add(pid)
    return ended
  } finally {
    unregisterOwner(owner)
  }
}

export function unregisterOwner(owner: OrphanOwner): void {
  undecided.delete(owner)
  owners.delete(owner)
  releaseMark(owner.mark)
}

async function endAll(owner: OrphanOwner, graceMs: number): Promise<ReadonlySet<number>> {
  const ended = new Set<number>()
  const end = performance.now() + orphansPatienceMs(graceMs)
  for (let pass = 0; pass < MAX_PASSES && performance.now() < end; pass++) {
    const orphans = await orphansOf(owner)
    if (orphans.length === 0) break
    const processes = family(allProcesses(), new Set(orphans)).filter((one) => !one.ended)
    for (const { pid } of processes) ended.add(pid)
    // The group 0 means a group of another pid namespace, and -1 a process that is just ending. These must
    // not be signalled.
    const groups = new Set(processes.map(({ group }) => group).filter((group) => group > 1))
    // Only processes of the first pass get a grace. Processes that are found later were started by a process
    // that was already told to end.
    await Promise.all([...groups].map((pgid) => endGroup(pgid, pass === 0 ? graceMs : 0)))
  }
  return ended
}

/**
 * Waits until the owner of each adopted process is known. A command may end while a process that it started
 * is still starting.
 */
async function orphansOf(owner: OrphanOwner): Promise<readonly number[]> {
  let orphans: number[] = []
  await pollUntil(EXEC_MS, () => {
    const found = adopted().map((pid) => ({ pid, own: isOwn(pid, owner) }))
    orphans = found.filter(({ own }) => own === true).map(({ pid }) => pid)
    return found.every(({ own }) => own !== undefined)
  })
  return orphans
}

/** Whether the process belongs to this execution; undefined when this cannot be known yet. */
function isOwn(pid: number, owner: OrphanOwner): boolean | undefined {
  const mark = softLocksLimit(pid)
  if (mark === undefined || owner.mark === undefined || !ofOneAgent(mark, owner.mark))
    return isOwnUnmarked(pid, owner)
  return mark === owner.mark || (!isTaken(mark) && !someLeft)
}

/**
 * Like `isOwn`, for a process without a mark. Either it has removed the mark on purpose, or the system has
 * no marks.
 */
function isOwnUnmarked(pid: number, owner: OrphanOwner): boolean | undefined {
  // The process may descend from a process that was left on purpose, and may have removed all signs of its
  // origin.
  const mayBeLeft = someLeft || undecided.size > 0
  if (runningPids().length === 0 && !isStarting(owner) && !mayBeLeft) return true
  const sign = hasSign(pid, owner)
  if (sign !== false || whyUnmarked() !== undefined || mayBeLeft) return sign
  // If the process has no sign of another execution, it has no owner. Such a process hides in order to stay,
  // so it is ended.
  const signs = [...owners].map((other) => hasSign(pid, other))
  if (signs.includes(true)) return false
  return signs.includes(undefined) ? undefined : true
}

/**
 * Whether the command of another execution is starting. This command may have left processes before its pid
 * is known here.
 */
function isStarting(owner: OrphanOwner): boolean {
  return [...owners].some((other) => other !== owner && other.session === undefined)
}

function hasSign(pid: number, owner: OrphanOwner): boolean | undefined {
  const session = processEntry(pid)?.session
  // The newest execution counts, since the pid of an ended command may already be the pid of a newer
  // command.
  const leader = session === undefined ? undefined : [...owners].findLast((one) => one.session === session)
  return leader === owner || hasEntry(pid, owner.marker)
}

/**
 * Lists living adopted orphans that are not spared. Collects ended orphans, since no other code collects
 * them.
 */
function adopted(): number[] {
  const running = new Set(runningPids())
  const all = children().filter((pid) => !running.has(pid) && !reapOrphan(pid))
  for (const pid of spared) if (!all.includes(pid)) spared.delete(pid)
  const living = all.filter((pid) => !spared.has(pid))
  // Every process that was left on purpose is adopted, or descends from an adopted process.
  if (living.length === 0) someLeft = false
  return living
}

/**
 * Reads the list of children. The descriptor stays open, because this has to work even when no other
 * descriptor is free.
 */
function children(): number[] {
  if (childrenFile === undefined) return []
  let text = ''
  for (let length = -1; length !== 0; text += page.toString('latin1', 0, length))
    length = readSync(childrenFile, page, 0, page.length, text.length)
  return text.trim() === '' ? [] : text.trim().split(' ').map(Number)
}
