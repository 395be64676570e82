import { softLocksLimit } from './process-table.ts'
import { setSoftLocksLimit } from '../linux/posix.ts'

/**
 * A mark identifies all processes of an execution, whatever they do with their environment, session and parents. It
 * is the soft limit RLIMIT_LOCKS, which each process passes on to its children. Linux has ignored this limit since
 * 2.4.25, and everybody has it at "unlimited", so numbers of our own fit there: 40 bits from the random name of the
 * agent's runtime folder, and 23 bits for the execution. Commands can see it with `ulimit -x`.
 */
const EXECUTION_BITS = 23n
const EXECUTIONS = 1n << EXECUTION_BITS
const AGENT_DIGITS = 10

/** Marks that are in use. */
const taken = new Set<bigint>()
let started = 0n
let obstacle = findObstacle()

/** Why the processes of commands cannot be marked on this system; undefined when they can. */
export function whyUnmarked(): string | undefined {
  return obstacle
}

/** A mark for one execution, until it is released; undefined where there are no marks. */
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

/** Whether it is the mark of an execution that is not over. */
export function isTaken(mark: bigint): boolean {
  return taken.has(mark)
}

/** Whether both are marks of executions of one agent. */
export function ofOneAgent(one: bigint, other: bigint): boolean {
  return one >> EXECUTION_BITS === other >> EXECUTION_BITS
}

/** Whether a process has the mark of an execution of this agent. */
export function isMarkedBy(instance: string, pid: number): boolean {
  const mark = softLocksLimit(pid)
  return mark !== undefined && mark >> EXECUTION_BITS === agentOf(instance)
}

/** Marks what `start` starts. The limit is one of our whole process, so no two starts may overlap. */
export async function marked<T>(mark: bigint | undefined, start: () => Promise<T>): Promise<T> {
  if (mark === undefined) return await start()
  let before
  try {
    before = setSoftLocksLimit(mark)
  } catch (error) {
    // Our hard limit was lowered since the start (prlimit).
    obstacle = (error as Error).message
    return await start()
  }
  try {
    return await start()
  } finally {
    giveBack(before)
  }
}

/** Sets our own limit back. Never throws: the command is running already, and the caller has to get its pid. */
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
 * Finds out by trying. Some kernels only imitate Linux (gVisor), and a limit may be set (`LimitLOCKS=`).
 */
function findObstacle(): string | undefined {
  const largest = (1n << 63n) - 1n
  try {
    const before = setSoftLocksLimit(largest)
    const shown = softLocksLimit(process.pid)
    setSoftLocksLimit(before)
    return shown === largest ? undefined : '/proc/PID/limits does not show it'
  } catch (error) {
    return (error as Error).message
  }
}
