import { readCount } from './cgroup-files.ts'
import { groupFolder } from './cgroup-mounts.ts'

/** How old a mark may be: with it, starting an execution costs one read of a small file per second at most. */
const FRESH_MS = 1000

/**
 * Counts what the kernel kills for lack of memory, for executions without a group of their own. What it counts is
 * wider than one execution (the agent's group, or the machine), so a rise makes that cause likely, not certain.
 * To be made before ControlGroups moves the agent: the group as it was covers all executions.
 */
export class OomWatch {
  /** The file it reads; undefined where the kernel has none. */
  readonly source: string | undefined
  #kills = 0
  #readAt = 0

  constructor(counters: readonly string[] = oomCounters()) {
    this.source = counters.find((file) => readCount(file, 'oom_kill') !== undefined)
    this.#look()
  }

  /** To be kept from the start of an execution. */
  mark(): number {
    if (performance.now() - this.#readAt >= FRESH_MS) this.#look()
    return this.#kills
  }

  /** To be asked when an execution has ended by a SIGKILL that was not ours. */
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
 * Where kills are counted, the narrowest first: the own group in v2 or v1, the machine. A root group has no file.
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
