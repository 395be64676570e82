import { readFileSync } from 'node:fs'
import { namesIn } from '../../basics/files/access.ts'
import { setSoftLocksLimit } from '../linux/posix.ts'

export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  /** Clock ticks since boot. A pid may be reused, but never with the same start time. */
  readonly startTime: string
  /** Whether the process is a zombie: it has ended, and its parent has not collected it. */
  readonly ended: boolean
}

/**
 * Lists all processes. The list is empty on systems without /proc, or while /proc cannot be read (EMFILE).
 */
export function allProcesses(): readonly ProcessEntry[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processEntry(Number(name)))
    .filter((entry) => entry !== undefined)
}

export function processEntry(pid: number): ProcessEntry | undefined {
  const stat = read(pid, 'stat')
  if (stat === '') return undefined
  // The fields after the program's name, which may contain brackets and spaces: state is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [parent = 0, group = 0, session = 0] = fields.slice(1, 4).map(Number)
  const ended = fields[0] === 'Z' || fields[0] === 'X'
  return { pid, parent, group, session, startTime: fields[22 - 3] ?? '', ended }
}

/**
 * Returns the processes of `roots` that are in the table, and their descendants. Leaves out `except` and its
 * descendants.
 */
export function family(
  table: readonly ProcessEntry[],
  roots: ReadonlySet<number>,
  except: ReadonlySet<number> = new Set(),
): ProcessEntry[] {
  const found = table.filter(({ pid }) => roots.has(pid) && !except.has(pid))
  const children = childrenByParent(table)
  // The list grows during the loop, because children are appended after their parents. Each process has one
  // parent, so no process is added twice.
  for (const { pid } of found)
    for (const child of children.get(pid) ?? [])
      if (!roots.has(child.pid) && !except.has(child.pid)) found.push(child)
  return found
}

/**
 * Returns the children of each process. With thousands of processes (a fork storm), a separate search for
 * each process would block the event loop.
 */
function childrenByParent(table: readonly ProcessEntry[]): ReadonlyMap<number, ProcessEntry[]> {
  const children = new Map<number, ProcessEntry[]>()
  for (const entry of table) {
    const siblings = children.get(entry.parent)
    if (siblings === undefined) children.set(entry.parent, [entry])
    else siblings.push(entry)
  }
  return children
}

/**
 * Whether the process was started with the entry `NAME=value`; false when its environment may not be read.
 * Undefined during an exec, when environment and arguments are empty for a moment.
 */
export function hasEntry(pid: number, entry: string): boolean | undefined {
  const isIn = (environment: string) => `\0${environment}`.includes(`\0${entry}\0`)
  const environment = read(pid, 'environ')
  if (environment !== '') return isIn(environment)
  return read(pid, 'cmdline') === '' ? undefined : isIn(read(pid, 'environ'))
}

/**
 * Returns the process's soft limit of file locks (RLIMIT_LOCKS); undefined when the limit is "unlimited", or
 * the process has ended.
 */
export function softLocksLimit(pid: number): bigint | undefined {
  const [, soft] = /^Max file locks +(\d+) /m.exec(read(pid, 'limits')) ?? []
  return soft === undefined ? undefined : BigInt(soft)
}

/** Lists the pids of a group's running processes. */
export function groupMembers(group: number): number[] {
  return allProcesses()
    .filter((one) => one.group === group && !one.ended)
    .map(({ pid }) => pid)
}

/**
 * Lists running descendants. Reads only files of these processes, not all of /proc. The list is empty
 * without CONFIG_PROC_CHILDREN.
 */
export function descendants(pid: number): ProcessEntry[] {
  const found = new Set(childrenOf(pid))
  // The set grows during the loop, because children are added after their parents.
  for (const one of found) for (const child of childrenOf(one)) found.add(child)
  return [...found]
    .map(processEntry)
    .filter((entry) => entry !== undefined)
    .filter(({ ended }) => !ended)
}

/** Lists the children of all threads, because each thread lists only the children that it started. */
function childrenOf(pid: number): number[] {
  const text = namesIn(`/proc/${pid}/task`).map((thread) => read(pid, `task/${thread}/children`))
  return text.join('').split(' ').filter(Boolean).map(Number)
}

/** Returns an empty text when the process is gone. */
function read(
  pid: number,
  file: 'cmdline' | 'environ' | 'limits' | 'stat' | `task/${string}/children`,
): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}

/**
 * A mark identifies all processes of an execution, even if they change their environment, session and
 * parents. It is the soft limit RLIMIT_LOCKS, which each process passes on to its children. Linux has
 * ignored this limit since 2.4.25, and its default is "unlimited", so it can hold our numbers: 40 bits from
 * the random name of the agent's runtime folder, and 23 bits for the execution. Commands can see the mark
 * with `ulimit -x`.
 */
const EXECUTION_BITS = 23n
const EXECUTIONS = 1n << EXECUTION_BITS
const AGENT_DIGITS = 10

const taken = new Set<bigint>()
let started = 0n
let obstacle = findObstacle()

/** Why this system does not let the agent mark the processes of commands to find them later; undefined if it does. */
export function whyUnmarked(): string | undefined {
  return obstacle
}

/** Takes a mark for one execution, until `releaseMark`; undefined on systems without marks. */
export function takeMark(instance: string): bigint | undefined {
  if (obstacle !== undefined) return undefined
  let mark
  do mark = (agentOf(instance) << EXECUTION_BITS) | (++started % EXECUTIONS)
  while (taken.has(mark))
  taken.add(mark)
  return mark
}

export function releaseMark(mark: bigint | undefined): void {
  if (mark !== undefined) taken.delete(mark)
}

/** Whether an execution with this mark has not ended. */
export function isTaken(mark: bigint): boolean {
  return taken.has(mark)
}

/** Whether both are marks of executions of the same agent. */
export function ofOneAgent(one: bigint, other: bigint): boolean {
  return one >> EXECUTION_BITS === other >> EXECUTION_BITS
}

/** Whether a process has the mark of an execution of this agent. */
export function isMarkedBy(instance: string, pid: number): boolean {
  const mark = softLocksLimit(pid)
  return mark !== undefined && mark >> EXECUTION_BITS === agentOf(instance)
}

/**
 * Marks the processes that are started until the result is disposed. The limit belongs to this whole
 * process, so no two starts may overlap. Never throws, because a command is also started without a mark.
 */
export function marking(mark: bigint | undefined): Disposable | undefined {
  if (mark === undefined) return undefined
  try {
    const before = setSoftLocksLimit(mark)
    return { [Symbol.dispose]: () => giveBack(before) }
  } catch (error) {
    // The hard limit of this process was lowered since the start (prlimit).
    obstacle = (error as Error).message
    return undefined
  }
}

/**
 * Restores the limit of this process. Never throws, because the command is already running and the caller
 * needs its pid.
 */
function giveBack(before: bigint): void {
  try {
    setSoftLocksLimit(before)
  } catch (error) {
    obstacle = (error as Error).message
  }
}

function agentOf(instance: string): bigint {
  return BigInt(`0x${instance.replaceAll('-', '').slice(0, AGENT_DIGITS)}`)
}

/**
 * Tries to set a mark, and returns why this fails. Some kernels only imitate Linux (gVisor), and a limit may
 * be set (`LimitLOCKS=`).
 */
function findObstacle(): string | undefined {
  const largest = (1n << 63n) - 1n
  try {
    const before = setSoftLocksLimit(largest)
    const shown = softLocksLimit(process.pid)
    setSoftLocksLimit(before)
    return shown === largest ? undefined : '/proc/PID/limits does not show the limit RLIMIT_LOCKS'
  } catch (error) {
    return (error as Error).message
  }
}
