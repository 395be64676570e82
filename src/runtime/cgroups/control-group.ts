import { constants, mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  isPopulated,
  pidsIn,
  readCount,
  readWords,
  removeGroup,
  tryWrite,
  writeValue,
} from './cgroup-files.ts'
import { KILLED_MS } from '../ending/ending-times.ts'
import { processEntry } from '../ending/process-table.ts'

/** Killed processes leave the group a moment later. Looked for after 1 ms at first, then up to every 100 ms. */
const FIRST_LOOK_MS = 1
const LONGEST_LOOK_MS = 100
/** A process that was forked before the stop may fork again while it is moved. */
const MAX_PASSES = 5

export interface GroupLimits {
  /** The limit is for all processes of the group together. */
  readonly memoryMaxBytes?: number | undefined
  readonly pidsMax?: number | undefined
}

/**
 * A cgroup v2 group for one execution. Its limits protect against accidents, not attacks: a command that runs as the
 * agent's user can write to these files like the agent.
 */
export class ControlGroup implements AsyncDisposable {
  readonly folder: string
  /** Whether the group has limits. They do not hold for processes outside of it. */
  readonly limited: boolean
  readonly #agent: string

  /**
   * @param folder of an existing group, which is removed at the end
   * @param agent the agent's own group, in which its children start
   */
  constructor(folder: string, agent: string, limited = false) {
    this.folder = folder
    this.limited = limited
    this.#agent = agent
  }

  /** Makes a group. @throws when it cannot be made or does not accept a limit; nothing is left behind then */
  static create(folder: string, agent: string, limits: GroupLimits): ControlGroup {
    try {
      mkdirSync(folder)
      setLimits(folder, limits)
    } catch (cause) {
      removeGroup(folder)
      throw new Error(`the control group ${folder} could not be made: ${String(cause)}`, { cause })
    }
    const limited = limits.memoryMaxBytes !== undefined || limits.pidsMax !== undefined
    return new ControlGroup(folder, agent, limited)
  }

  /**
   * Moves the leader of a session into the group. Call it in the tick in which the leader was started. The kernel takes
   * 5 to 40 ms for a move (a grace period of RCU), and a shell would fork its first command outside meanwhile. So the
   * leader is stopped at once, moved by another thread, and continued. What it had forked before the stop is moved too,
   * unless it has made a session of its own; the runtime's sweep finds that. (Starting inside the group needs glibc
   * 2.39.)
   * @returns false when it could not be moved, for example because it has ended; never rejects
   */
  async add(pid: number): Promise<boolean> {
    signal(pid, 'SIGSTOP')
    try {
      if (!(await this.#move(pid))) return false
      await this.#moveSession(pid)
      return true
    } finally {
      signal(pid, 'SIGCONT')
    }
  }

  /** Whether a process of the group is alive; zombies do not count. */
  populated(): boolean {
    return isPopulated(this.folder)
  }

  /** Includes the groups that the command made below it. */
  pids(): number[] {
    return pidsIn(this.folder)
  }

  /** SIGKILL to every process, all at once where the kernel has cgroup.kill (5.14). Returns before they are gone. */
  kill(): void {
    if (tryWrite(this.#file('cgroup.kill'), 1)) return
    for (const pid of this.pids()) signal(pid, 'SIGKILL')
  }

  /**
   * Whether the kernel has killed one of its processes because memory ran out, in the group or in the machine. Ask
   * before disposal.
   */
  oomKilled(): boolean {
    return (readCount(this.#file('memory.events'), 'oom_kill') ?? 0) > 0
  }

  /** For processes that may live on: removes the group only if it is empty. @returns whether it is gone */
  removeEmpty(): boolean {
    return removeGroup(this.folder)
  }

  /** Kills what is left and removes the group. If something survives two seconds of that, the next agent removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const end = performance.now() + KILLED_MS
    for (let wait = FIRST_LOOK_MS; !removeGroup(this.folder); wait = Math.min(wait * 2, LONGEST_LOOK_MS)) {
      if (performance.now() > end) return
      // Repeated, because without cgroup.kill a process that was just being forked survives one round.
      this.kill()
      await delay(wait)
    }
  }

  async #moveSession(session: number): Promise<void> {
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const born = readWords(path.join(this.#agent, 'cgroup.procs')).map(Number)
      const members = born.filter((pid) => processEntry(pid)?.session === session)
      if (members.length === 0) return
      await Promise.all(members.map((pid) => this.#move(pid)))
    }
  }

  #move(pid: number): Promise<boolean> {
    const written = writeFile(this.#file('cgroup.procs'), String(pid), { flag: constants.O_WRONLY })
    return written.then(
      () => true,
      () => false,
    )
  }

  #file(name: string): string {
    return path.join(this.folder, name)
  }
}

/** @throws when a limit that is asked for cannot be set */
export function setLimits(folder: string, { memoryMaxBytes, pidsMax }: GroupLimits): void {
  if (memoryMaxBytes !== undefined) {
    writeValue(path.join(folder, 'memory.max'), memoryMaxBytes)
    // Without this, memory over the limit goes to swap: slow instead of ended. The file is missing when there is no
    // swap.
    tryWrite(path.join(folder, 'memory.swap.max'), 0)
  }
  if (pidsMax !== undefined) writeValue(path.join(folder, 'pids.max'), pidsMax)
  // Ends the whole group, not one process. A shell that goes on without the killed command would do half of its work.
  tryWrite(path.join(folder, 'memory.oom.group'), 1)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // The process has ended meanwhile, or it belongs to another user.
  }
}
