import { softLocksLimit } from './process-table.ts'
import { setSoftLocksLimit } from '../linux/posix.ts'

/**
 * By what the processes of an execution are known, whatever they do with their environment, session and parents: the
 * soft limit RLIMIT_LOCKS, which each process hands to what it starts. Linux has not looked at it since 2.4.25, and
 * everybody has it at "unlimited", so that there is room for numbers that nobody else has: 40 bits from the name of
 * the agent's runtime folder, which is a random uuid, and 23 for its executions. What sees it: `ulimit -x`.
 */
const EXECUTION_BITS = 23n
const EXECUTIONS = 1n << EXECUTION_BITS
const AGENT_DIGITS = 10

/** Those of executions that are not over. */
const taken = new Set<bigint>()
let started = 0n
let obstacle = findObstacle()

/** Why the processes of commands cannot be marked on this system; undefined when they can. */
export function whyUnmarked(): string | undefined {
  return obstacle
}

/** A mark for an execution of the agent, its own until it is released; undefined where there are none. */
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

/**
 * What is started meanwhile is marked. The limit belongs to our whole process: `start` does not wait for anything, so
 * that no two starts overlap.
 */
export function marked<T>(mark: bigint | undefined, start: () => T): T {
  if (mark === undefined) return start()
  let before
  try {
    before = setSoftLocksLimit(mark)
  } catch (error) {
    // Somebody took the room away while we run (prlimit).
    obstacle = (error as Error).message
    return start()
  }
  try {
    return start()
  } finally {
    giveBack(before)
  }
}

/** Never throws: what was started is running, and whoever started it has to learn its pid. */
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

/** Tried, since there are kernels that are none (gVisor), and limits that somebody set (`LimitLOCKS=`). */
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
