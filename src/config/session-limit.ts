import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'

const MiB = 1024 * 1024

/** Descriptors per execution: the read ends of two pipes or both ends of a terminal, and one in reserve. */
export const FILES_PER_EXECUTION = 3
/**
 * Number of other descriptors. The agent itself needs about 30 (measured: event loop, gateway, journal, log,
 * clients of `http`). While an execution starts, it needs three more, and only one execution starts at a
 * time. The rest is a reserve.
 */
export const OTHER_FILES = 67

/**
 * Approximate memory of a database client or a small script. Users of larger commands set `limits.sessions`.
 * The agent itself needs 0.1 MiB for a waiting execution and 0.5 MiB for one with much output (measured with
 * 300 and 50 executions, Node 20).
 */
const MEMORY_PER_EXECUTION = 16 * MiB
/** Memory of the agent itself, with the tails of outputs. */
const OTHER_MEMORY = 256 * MiB

const MIN_SESSIONS = 10
/** Maximum of the default. More sessions were never tested. */
const MAX_SESSIONS = 1000

/** Resources that limit the executions of this process. */
interface Machine {
  /** Undefined if the system does not report a limit. */
  readonly openFiles: number | undefined
  readonly memoryBytes: number
}

/**
 * Returns the default of `limits.sessions`. The limit by descriptors is exact, and the limit by memory is a
 * guess.
 */
export function sessionsOn({ openFiles, memoryBytes }: Machine): number {
  const byMemory = Math.floor((memoryBytes - OTHER_MEMORY) / MEMORY_PER_EXECUTION)
  const byFiles = openFiles === undefined ? MAX_SESSIONS : executionsWithin(openFiles)
  return Math.min(byFiles, Math.max(MIN_SESSIONS, Math.min(byMemory, MAX_SESSIONS)))
}

/** Returns a number of executions, which is at least 1. */
export function executionsWithin(openFiles: number): number {
  return Math.max(1, Math.floor((openFiles - OTHER_FILES) / FILES_PER_EXECUTION))
}

export function thisMachine(): Machine {
  // Without a limit, the value is 0 or more than the machine's memory.
  const constrained = process.constrainedMemory()
  const memoryBytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  return { openFiles: openFileLimit('/proc/self/limits'), memoryBytes }
}

/**
 * Returns the soft limit in a file like /proc/self/limits. Node raises its soft limit to the hard limit at
 * start.
 */
export function openFileLimit(file: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(read(file)) ?? []
  if (soft === undefined) return undefined
  return soft === 'unlimited' ? Infinity : Number(soft)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
