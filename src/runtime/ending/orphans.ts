import { openSync, readSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { becomeSubreaper, sessionOf, signalProcess } from '../linux/posix.ts'
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

/** The marks of a killed agent's commands. */
export interface DeadAgent {
  /** The `instance` that `execute` was called with. */
  readonly instance: string
  /**
   * An entry `NAME=value` that is in the environment of all commands of this agent. It helps to find
   * processes without a mark.
   */
  readonly marker: string
}

/**
 * Maximum number of searches. A process may fork while it is being ended, and a later search finds the new
 * process.
 */
const MAX_SWEEPS = 20
/**
 * Milliseconds between searches. During an exec, a process shows no environment, and a search does not find
 * it. So only two empty searches in a row mean that no process is left.
 */
const AGAIN_MS = 20

/**
 * Ends the processes that a killed agent's commands left. Sends SIGTERM, and SIGKILL after `graceMs`. These
 * processes are not children of this process, so a pid may already belong to another process (see
 * `signalIfStill`).
 * @returns the number of ended processes; settles at most two seconds after the SIGKILL
 */
export async function endProcessesOfAgent(agent: DeadAgent, graceMs: number): Promise<number> {
  const signalled = new Set<string>()
  const end = performance.now() + graceMs + KILLED_MS
  let foundNothing = false
  for (let pass = 0; pass < MAX_SWEEPS && performance.now() < end; pass++) {
    const found = processesOf(agent)
    if (found.length === 0 && foundNothing) break
    foundNothing = found.length === 0
    // Only the first search gives a grace. Processes that are found later come from a process that was
    // already told to end.
    const graceful = signalled.size === 0
    const told = found.filter(graceful ? tellToEnd : kill)
    for (const { pid, startTime } of told) signalled.add(`${pid} ${startTime}`)
    await pollUntil(graceful ? graceMs : end - performance.now(), () => !told.some(isRunning))
    if (told.length === 0) await delay(AGAIN_MS)
  }
  return signalled.size
}

/**
 * Returns false if the process has ended, if its pid belongs to another process, or if it may not be
 * signalled.
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
 * @param self left out with its ancestors and its group, because a command of the dead agent may have started
 * this agent, with a program that reads its log
 */
export function processesOf({ instance, marker }: DeadAgent, self = process.pid): ProcessEntry[] {
  const table = allProcesses().filter(({ ended }) => !ended)
  const spared = selfAndKin(self, table)
  const isMarked = (pid: number) => isMarkedBy(instance, pid) || hasEntry(pid, marker)
  const marked = table.filter(({ pid }) => !spared.has(pid) && isMarked(pid))
  const sessions = new Set(marked.filter(({ pid, session }) => pid === session).map(({ pid }) => pid))
  const members = table.filter(({ session }) => sessions.has(session))
  return family(table, new Set([...marked, ...members].map(({ pid }) => pid)), spared)
}

/** Returns the process, its ancestors and the members of its group. */
function selfAndKin(self: number, table: readonly ProcessEntry[]): ReadonlySet<number> {
  const parents = new Map(table.map(({ pid, parent }) => [pid, parent]))
  const kin = new Set([1])
  for (let pid: number | undefined = self; pid !== undefined && !kin.has(pid); pid = parents.get(pid))
    kin.add(pid)
  const own = table.find(({ pid }) => pid === self)?.group
  for (const { pid, group } of table) if (group === own) kin.add(pid)
  return kin
}

/**
 * A signal to a command's group does not reach processes in a session of their own (`setsid`, a double fork).
 * The agent is the subreaper of such processes: they become the agent's children when their parent ends. The
 * agent finds them in its list of children, which is a small file, and does not search all of /proc. An
 * adopted process keeps its pid until it is collected here. The file lists the children of the main thread,
 * which is the thread that adopts. Commands are children of a thread of libuv's pool, so they are never in
 * this file before their pids are known.
 */
let childrenFile: number | undefined
const page = Buffer.alloc(4096)

/** The marks by which an execution's orphans are recognised. */
export interface OrphanOwner {
  /** Undefined on systems without marks. */
  readonly mark: bigint | undefined
  /** An entry `NAME=value` of the execution's environment that no other execution has. */
  readonly marker: string
  /**
   * The command's pid, which is also the id of its session. Undefined while the command starts, or after a
   * failed start.
   */
  session?: number | undefined
}

const owners = new Set<OrphanOwner>()
/** Executions among `owners` that may leave processes on purpose. */
const undecided = new Set<OrphanOwner>()
/** True if an execution has left processes on purpose and an adopted process is still alive. */
let someLeft = false
/**
 * Adopted processes that are not ended, because they are older than all executions or cannot be ended (for
 * example another user's).
 */
const spared = new Set<number>()

/** Maximum number of searches before a fork storm is given up. A process may fork while it is being ended. */
const MAX_PASSES = 20

/**
 * Makes this process adopt orphans. From then on it collects every child, so only this runtime may start
 * children.
 * @throws if the kernel does not have the list of children (CONFIG_PROC_CHILDREN)
 */
export function adoptOrphans(): void {
  const file = openSync(`/proc/self/task/${process.pid}/children`, 'r')
  becomeSubreaper()
  childrenFile = file
  // A shell started these children before the shell became this process by exec.
  for (const pid of children()) spared.add(pid)
  onOtherEnds(adopted)
}

/**
 * Call before the command is started. `endOrphans` ends the registration. If the execution may leave
 * processes and was not terminated, `leaveOrphans` ends it. If nothing was started, `unregisterOwner` ends
 * it.
 */
export function registerOwner(owner: OrphanOwner, mayLeave: boolean): OrphanOwner {
  owners.add(owner)
  if (mayLeave) undecided.add(owner)
  return owner
}

/** Leaves the processes of the execution running. They are still collected when they end. */
export function leaveOrphans(owner: OrphanOwner): void {
  someLeft = true
  unregisterOwner(owner)
  adopted()
}

/**
 * Ends an execution's orphans, their descendants, and orphans without an owner. Returns the processes that
 * were ended.
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
    const orphans = await findOrphans(owner)
    if (orphans.length === 0) break
    const processes = family(allProcesses(), new Set(orphans)).filter((one) => !one.ended)
    for (const { pid } of processes) ended.add(pid)
    const groups = new Set(processes.map(({ group }) => group))
    // Only the first pass gives a grace. Processes that are found later come from a process that was already
    // told to end.
    await Promise.all([...groups].map((pgid) => endGroup(pgid, pass === 0 ? graceMs : 0)))
  }
  return ended
}

/**
 * Returns the orphans of the execution. Waits until the owner of each adopted process is known, because a
 * command may end while a process that it started is still starting.
 */
async function findOrphans(owner: OrphanOwner): Promise<readonly number[]> {
  let orphans: number[] = []
  await pollUntil(EXEC_MS, () => {
    const found = adopted().map((pid) => ({ pid, own: isOwn(pid, owner) }))
    orphans = found.filter(({ own }) => own === true).map(({ pid }) => pid)
    return found.every(({ own }) => own !== undefined)
  })
  return orphans
}

/** Returns whether the process belongs to this execution, or undefined if this cannot be known yet. */
function isOwn(pid: number, owner: OrphanOwner): boolean | undefined {
  const mark = softLocksLimit(pid)
  if (mark === undefined || owner.mark === undefined || !ofOneAgent(mark, owner.mark))
    return isOwnUnmarked(pid, owner)
  return mark === owner.mark || (!isTaken(mark) && !someLeft)
}

/**
 * Does the work of `isOwn` for a process that has removed its mark on purpose, and on systems without marks.
 */
function isOwnUnmarked(pid: number, owner: OrphanOwner): boolean | undefined {
  // The process may descend from a process that was left on purpose, and may have removed all signs of its
  // origin.
  const mayBeLeft = someLeft || undecided.size > 0
  if (runningPids().length === 0 && !isStarting(owner) && !mayBeLeft) return true
  const sign = hasSign(pid, owner)
  if (sign !== false || whyUnmarked() !== undefined || mayBeLeft) return sign
  // A process without a sign of any execution hides in order to stay, so it is ended.
  const signs = [...owners].map((other) => hasSign(pid, other))
  if (signs.includes(true)) return false
  return signs.includes(undefined) ? undefined : true
}

/**
 * Returns whether the command of another execution is starting. Such a command may have left processes before
 * its pid is known here.
 */
function isStarting(owner: OrphanOwner): boolean {
  return [...owners].some((other) => other !== owner && other.session === undefined)
}

function hasSign(pid: number, owner: OrphanOwner): boolean | undefined {
  const session = processEntry(pid)?.session
  // The newest execution counts, because a newer command may already have the pid of a command that has
  // ended.
  const leader = session === undefined ? undefined : [...owners].findLast((one) => one.session === session)
  return leader === owner || hasEntry(pid, owner.marker)
}

/** Lists living orphans that are not spared. Also collects ended orphans, because no other code does. */
function adopted(): number[] {
  const running = new Set(runningPids())
  const others = children().filter((pid) => !running.has(pid) && !isOfOwnSession(pid))
  const all = others.filter((pid) => !reapOrphan(pid))
  for (const pid of spared) if (!all.includes(pid)) spared.delete(pid)
  const living = all.filter((pid) => !spared.has(pid))
  // Every process that was left on purpose is adopted, or descends from an adopted process.
  if (living.length === 0) someLeft = false
  return living
}

/**
 * Commands lead sessions of their own. So a child in the agent's own session was started by Node, for example as
 * an SDK's helper (`credential_process` of AWS), and Node waits for its exit. Seen in 0.1: it passed for an
 * orphan, and the signal to its group ended the agent. It may also come from a helper, or from a shell that
 * became this process: then Node does not collect it.
 */
function isOfOwnSession(pid: number): boolean {
  if (sessionOf(pid) !== sessionOf(process.pid)) return false
  collectUnlessNodeDoes(pid)
  return true
}

/**
 * Milliseconds after which an ended child of the own session is not Node's. Node collects its children in the
 * next turn of the event loop.
 */
const NODES_MS = 1000
const beingCollected = new Set<number>()

function collectUnlessNodeDoes(pid: number): void {
  const seen = processEntry(pid)
  if (seen?.ended !== true || beingCollected.has(pid)) return
  beingCollected.add(pid)
  const collect = () => {
    beingCollected.delete(pid)
    if (processEntry(pid)?.startTime === seen.startTime) reapOrphan(pid)
  }
  // The event loop reads Node's signals between a timer and an immediate.
  setTimeout(() => setImmediate(collect), NODES_MS).unref()
}

/** The descriptor stays open, so that this function works even if no other descriptor is free. */
function children(): number[] {
  if (childrenFile === undefined) return []
  let text = ''
  for (let length = -1; length !== 0; text += page.toString('latin1', 0, length))
    length = readSync(childrenFile, page, 0, page.length, text.length)
  return text.trim() === '' ? [] : text.trim().split(' ').map(Number)
}
