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
  sessionOf,
  tryWrite,
  writeValue,
} from './cgroup-files.ts'
import { KILLED_MS } from '../ending/ending-times.ts'

/** What is killed leaves its group a moment later: looked for after 1 ms at first, then up to 100 ms. */
const FIRST_LOOK_MS = 1
const LONGEST_LOOK_MS = 100
/** What was forked before the stop may itself fork while it is moved. */
const MAX_PASSES = 5

export interface GroupLimits {
  /** Of all processes of the group together. */
  readonly memoryMaxBytes?: number | undefined
  readonly pidsMax?: number | undefined
}

/**
 * A cgroup v2 group of one execution. Its limits are for accidents: a command of the agent's own user may write to
 * these files as the agent does.
 */
export class ControlGroup implements AsyncDisposable {
  readonly folder: string
  /** Whether it has limits, which then do not hold for what is outside. */
  readonly limited: boolean
  readonly #agent: string

  /**
   * @param folder of a group that is there; it is removed at the end
   * @param agent the agent's own group, in which its children are born
   */
  constructor(folder: string, agent: string, limited = false) {
    this.folder = folder
    this.limited = limited
    this.#agent = agent
  }

  /** @throws when the group cannot be made or does not take a limit; nothing is left then */
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
   * Moves the leader of a session in. To be called in the tick in which it was started. The kernel takes 5 to 40 ms
   * for it (a grace period of RCU), in which a shell forks its first command outside: so the leader is stopped at
   * once, moved by another thread, and goes on. What it forked before the stop follows, unless that has made a
   * session of its own: then it is for the runtime's sweep to find. (To be born inside needs glibc 2.39.)
   * @returns false when it could not be moved, for one because it has ended; never rejects
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

  /** Whether a process of it lives; zombies do not count. */
  populated(): boolean {
    return isPopulated(this.folder)
  }

  /** Those in groups that the command made below included. */
  pids(): number[] {
    return pidsIn(this.folder)
  }

  /** SIGKILL to every process, at one blow where the kernel has cgroup.kill (5.14). Returns before they are gone. */
  kill(): void {
    if (tryWrite(this.#file('cgroup.kill'), 1)) return
    for (const pid of this.pids()) signal(pid, 'SIGKILL')
  }

  /** Whether the kernel has killed one of its processes for lack of memory, its own or the machine's. Ask before disposal. */
  oomKilled(): boolean {
    return (readCount(this.#file('memory.events'), 'oom_kill') ?? 0) > 0
  }

  /** For what may live on: removes the group when nothing lives in it. @returns whether it is gone */
  removeEmpty(): boolean {
    return removeGroup(this.folder)
  }

  /** Kills what is left and removes the group. What outlives two seconds of that is left to the next agent. */
  async [Symbol.asyncDispose](): Promise<void> {
    const end = performance.now() + KILLED_MS
    for (let wait = FIRST_LOOK_MS; !removeGroup(this.folder); wait = Math.min(wait * 2, LONGEST_LOOK_MS)) {
      if (performance.now() > end) return
      // Again each time: without cgroup.kill, what was being forked meanwhile has escaped.
      this.kill()
      await delay(wait)
    }
  }

  async #moveSession(session: number): Promise<void> {
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const born = readWords(path.join(this.#agent, 'cgroup.procs')).map(Number)
      const members = born.filter((pid) => sessionOf(pid) === session)
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
    // Else what is over the limit goes to swap: slow instead of ended. The file is missing without swap.
    tryWrite(path.join(folder, 'memory.swap.max'), 0)
  }
  if (pidsMax !== undefined) writeValue(path.join(folder, 'pids.max'), pidsMax)
  // All of it or nothing: a shell that goes on without the command that was killed is an execution half done.
  tryWrite(path.join(folder, 'memory.oom.group'), 1)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile, or belongs to another user.
  }
}
