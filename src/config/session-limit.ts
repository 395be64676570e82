import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'

const MiB = 1024 * 1024

/** The read ends of an execution's two pipes, or both ends of its terminal, and one to spare. */
export const FILES_PER_EXECUTION = 3
/**
 * What is open besides. An execution that starts has its input and the other ends of its pipes, three of them, and they
 * start one at a time. The agent's own were seen at about 30: the event loop, the gateway, the journal, the log, the
 * clients of `http`.
 */
export const OTHER_FILES = 67

/**
 * Of a command, roughly a client of a database or a small script: who runs more says so. The agent's own part is small,
 * 0.1 MiB for one that waits and 0.5 MiB for one with much output (300 and 50 of them, Node 20).
 */
const MEMORY_PER_EXECUTION = 16 * MiB
/** The agent's, with the tails of outputs. */
const OTHER_MEMORY = 256 * MiB

const FEWEST = 10
/** More have never been tried. */
const MOST = 1000

/** What bounds the executions of this process. */
export interface Machine {
  /** undefined where the system does not tell. */
  readonly openFiles: number | undefined
  readonly memoryBytes: number
}

/** The default of `limits.sessions`. Few descriptors are a hard bound, little memory is not: commands may be small. */
export function sessionsOn({ openFiles, memoryBytes }: Machine): number {
  const byMemory = Math.floor((memoryBytes - OTHER_MEMORY) / MEMORY_PER_EXECUTION)
  const byFiles = openFiles === undefined ? MOST : executionsWithin(openFiles)
  return Math.min(byFiles, Math.max(FEWEST, Math.min(byMemory, MOST)))
}

/** How many executions so many descriptors are enough for; 1 at least. */
export function executionsWithin(openFiles: number): number {
  return Math.max(1, Math.floor((openFiles - OTHER_FILES) / FILES_PER_EXECUTION))
}

export function thisMachine(): Machine {
  // 0, or more than there is, where nothing constrains.
  const constrained = process.constrainedMemory()
  const memoryBytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  return { openFiles: openFileLimit('/proc/self/limits'), memoryBytes }
}

/** The soft one, of a file such as /proc/self/limits; Node raises it to the hard one when it starts. */
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
