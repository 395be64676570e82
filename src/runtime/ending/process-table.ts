import { readFileSync } from 'node:fs'
import { namesIn } from '../../basics/files/access.ts'
import { setSoftLocksLimit } from '../linux/posix.ts'

export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  /** Start time in clock ticks since boot. A pid may be reused, but never with the same start time. */
  readonly startTime: string
  /** Whether the process is a zombie: it has ended, and its parent has not collected it. */
  readonly ended: boolean
}

/** The list is empty on systems without /proc, or while /proc cannot be read (EMFILE). */
export function allProcesses(): readonly ProcessEntry[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processEntry(Number(name)))
    .filter((entry) => entry !== undefined)
}

export function processEntry(pid: number): ProcessEntry | undefined {
  const stat = read(pid, 'stat')
  if (stat === '') return undefined
  // These are the fields after the program's name, which may contain brackets and spaces. The first one is
  // the state, field 3 of the file.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [parent = 0, group = 0, session = 0] = fields.slice(1, 4).map(Number)
  const ended = fields[0] === 'Z' || fields[0] === 'X'
  return { pid, parent, group, session, startTime: fields[22 - 3] ?? '', ended }
}

/** Returns `roots` and their descendants, without `except` and its descendants. */
export function family(
  table: readonly ProcessEntry[],
  roots: ReadonlySet<number>,
  except: ReadonlySet<number> = new Set(),
): ProcessEntry[] {
  const found = table.filter(({ pid }) => roots.has(pid) && !except.has(pid))
  const children = childrenByParent(table)
  // The list grows during the loop. Each process has one parent, so no process is added twice.
  for (const { pid } of found)
    for (const child of children.get(pid) ?? [])
      if (!roots.has(child.pid) && !except.has(child.pid)) found.push(child)
  return found
}

/**
 * Finds the children of all processes in one pass. In a fork storm, a separate search for each of thousands
 * of processes would block the event loop.
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
 * Returns whether the process was started with the entry. Returns false if its environment may not be read.
 * Returns undefined during an exec, when environment and arguments are empty for a moment.
 */
export function hasEntry(pid: number, entry: string): boolean | undefined {
  const isIn = (environment: string) => `\0${environment}`.includes(`\0${entry}\0`)
  const environment = read(pid, 'environ')
  if (environment !== '') return isIn(environment)
  return read(pid, 'cmdline') === '' ? undefined : isIn(read(pid, 'environ'))
}

/**
 * Returns the soft limit RLIMIT_LOCKS. Returns undefined if it is "unlimited" or if the process has ended.
 */
export function softLocksLimit(pid: number): bigint | undefined {
  const [, soft] = /^Max file locks +(\d+) /m.exec(read(pid, 'limits')) ?? []
  return soft === undefined ? undefined : BigInt(soft)
}

export function groupMembers(group: number): number[] {
  return allProcesses()
    .filter((one) => one.group === group && !one.ended)
    .map(({ pid }) => pid)
}

/**
 * Reads only the files of these processes, and not all of /proc. Returns an empty list without
 * CONFIG_PROC_CHILDREN.
 */
export function descendants(pid: number): ProcessEntry[] {
  const found = new Set(childrenOf(pid))
  // The set grows during the loop.
  for (const one of found) for (const child of childrenOf(one)) found.add(child)
  return [...found]
    .map(processEntry)
    .filter((entry) => entry !== undefined)
    .filter(({ ended }) => !ended)
}

/** Asks all threads of the process, because each thread lists only the children that it started. */
function childrenOf(pid: number): number[] {
  const text = namesIn(`/proc/${pid}/task`).map((thread) => read(pid, `task/${thread}/children`))
  return text.join('').split(' ').filter(Boolean).map(Number)
}

/** Returns an empty text if the process is gone. */
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
 * A mark is a soft limit RLIMIT_LOCKS, which children inherit. It identifies all processes of an execution,
 * even if they change environment, session and parents. Linux ignores this limit since 2.4.25, and its
 * default is "unlimited". The mark has 40 bits from the random name of the agent's runtime folder, and 23
 * bits for the execution. Commands can see it with `ulimit -x`.
 */
const EXECUTION_BITS = 23n
const EXECUTIONS = 1n << EXECUTION_BITS
const AGENT_DIGITS = 10

const taken = new Set<bigint>()
let started = 0n
let obstacle = findObstacle()

/**
 * Returns why this system does not let the agent mark the processes of commands. Returns undefined if it
 * does.
 */
export function whyUnmarked(): string | undefined {
  return obstacle
}

/** Takes a mark, which stays taken until `releaseMark`. Returns undefined on systems without marks. */
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

/** Returns whether an execution with this mark has not ended yet. */
export function isTaken(mark: bigint): boolean {
  return taken.has(mark)
}

export function ofOneAgent(one: bigint, other: bigint): boolean {
  return one >> EXECUTION_BITS === other >> EXECUTION_BITS
}

export function isMarkedBy(instance: string, pid: number): boolean {
  const mark = softLocksLimit(pid)
  return mark !== undefined && mark >> EXECUTION_BITS === agentOf(instance)
}

/**
 * Marks the processes that are started before the result is disposed. The limit belongs to this whole
 * process, so starts may not overlap. Never throws, because a command also starts without a mark.
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

/** Never throws: the command is already running, and the caller needs its pid. */
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
 * Tries to set a mark, and returns why this fails. Some kernels only imitate Linux (gVisor), and a lower
 * limit may be set (`LimitLOCKS=`).
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
