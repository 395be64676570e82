import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'

const MiB = 1024 * 1024

/** The read ends of an execution's two pipes, or both ends of its terminal, and one to spare. */
export const FILES_PER_EXECUTION = 3
/**
 * All other descriptors. A starting execution has three more: its input and the other ends of its pipes. Executions start
 * one at a time. The agent's own were about 30 when measured: event loop, gateway, journal, log, clients of `http`.
 */
export const OTHER_FILES = 67

/**
 * Roughly what a database client or a small script needs. Whoever runs more sets `limits.sessions`. The agent's own part
 * is small: 0.1 MiB for a waiting execution, 0.5 MiB for one with much output (measured with 300 and 50, Node 20).
 */
const MEMORY_PER_EXECUTION = 16 * MiB
/** What the agent itself needs, with the tails of outputs. */
const OTHER_MEMORY = 256 * MiB

const FEWEST = 10
/** More were never tried. */
const MOST = 1000

/** What bounds the executions of this process. */
export interface Machine {
  /** undefined if the system does not tell. */
  readonly openFiles: number | undefined
  readonly memoryBytes: number
}

/** The default of `limits.sessions`. Descriptors are a hard bound. Memory is a guess, since commands may be small. */
export function sessionsOn({ openFiles, memoryBytes }: Machine): number {
  const byMemory = Math.floor((memoryBytes - OTHER_MEMORY) / MEMORY_PER_EXECUTION)
  const byFiles = openFiles === undefined ? MOST : executionsWithin(openFiles)
  return Math.min(byFiles, Math.max(FEWEST, Math.min(byMemory, MOST)))
}

/** How many executions fit into this many descriptors; at least 1. */
export function executionsWithin(openFiles: number): number {
  return Math.max(1, Math.floor((openFiles - OTHER_FILES) / FILES_PER_EXECUTION))
}

export function thisMachine(): Machine {
  // Without a constraint this is 0, or more than the machine has.
  const constrained = process.constrainedMemory()
  const memoryBytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  return { openFiles: openFileLimit('/proc/self/limits'), memoryBytes }
}

/** The soft limit in a file like /proc/self/limits. Node raises it to the hard limit when it starts. */
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
