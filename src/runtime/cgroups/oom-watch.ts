import { groupFolder, readCount } from './cgroup-files.ts'

/** Maximum age of a reading in milliseconds. Many starts together read the file once per second. */
const FRESH_MS = 1000

/**
 * Counts how often the kernel has killed a process for lack of memory. Used for executions without a group.
 * The counter covers more than one execution (the agent's group, or the machine), so a rise is only a likely
 * cause. Create the watch before ControlGroups moves the agent, because only the agent's first group contains
 * all executions.
 */
export class OomWatch {
  /** The file with the counter, or undefined if the kernel has no counter. */
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

  /** Returns `likely` if memory may have run out. Call after a SIGKILL that the agent did not send. */
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
 * Lists files that count kills: first the file of the agent's group in v2 or v1, then the file of the
 * machine. A root group has no such file.
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
