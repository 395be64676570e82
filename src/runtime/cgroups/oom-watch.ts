import { groupFolder, readCount } from './cgroup-files.ts'

/** Maximum age of a reading in milliseconds: many starts read the file once per second. */
const FRESH_MS = 1000

/**
 * Counts the kernel's kills for lack of memory, for executions without a group. The counter covers more than
 * one execution (the agent's group, or the machine), so a rise is only a likely cause. Create the watch
 * before ControlGroups moves the agent: only the first group contains all executions.
 */
export class OomWatch {
  /** The file with the counter; undefined if the kernel has none. */
  readonly source: string | undefined
  #kills = 0
  #readAt = 0

  constructor(counters: readonly string[] = oomCounters()) {
    this.source = counters.find((file) => readCount(file, 'oom_kill') !== undefined)
    this.#look()
  }

  /** Call when an execution starts. */
  mark(): number {
    if (performance.now() - this.#readAt >= FRESH_MS) this.#look()
    return this.#kills
  }

  /** Whether memory may have run out. Call after a SIGKILL that the agent did not send. */
  since(mark: number): 'likely' | undefined {
    this.#look()
    return this.#kills > mark ? 'likely' : undefined
  }

  #look(): void {
    if (this.source !== undefined) this.#kills = readCount(this.source, 'oom_kill') ?? this.#kills
    this.#readAt = performance.now()
  }
}

/**
 * Lists files that count kills, the narrowest first: the agent's group in v2 or v1, then the machine. A root
 * group has none.
 * @param proc the process's folder in /proc
 */
export function oomCounters(pid = process.pid, proc = `/proc/${pid}`): string[] {
  const v2 = groupFolder('v2', pid, proc)
  const v1 = groupFolder('v1-memory', pid, proc)
  return [
    ...(v2 === undefined ? [] : [`${v2}/memory.events`]),
    ...(v1 === undefined ? [] : [`${v1}/memory.oom_control`]),
    '/proc/vmstat',
  ]
}
