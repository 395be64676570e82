import { randomBytes } from 'node:crypto'
import { constants, existsSync, mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { KILLED_MS } from '../ending/kill-ladder.ts'
import { processEntry } from '../ending/process-table.ts'
import {
  groupFolder,
  pidsIn,
  readCount,
  readWords,
  removeGroup,
  subgroups,
  tryWrite,
  writeValue,
} from './cgroup-files.ts'

/**
 * Milliseconds between two checks whether a group still has processes. Killed processes leave the group a
 * moment later.
 */
const FIRST_LOOK_MS = 1
const MAX_LOOK_MS = 100
/**
 * Maximum number of passes that move the processes of a session. A process that was forked before the stop
 * may fork again while it is moved.
 */
const MAX_PASSES = 5

interface GroupLimits {
  /** Memory of all processes of the group together. */
  readonly memoryMaxBytes?: number | undefined
  readonly pidsMax?: number | undefined
}

/**
 * A cgroup v2 group for one execution. Its limits protect against accidents, not attacks: a command of the
 * agent's user can write to these files.
 */
export class ControlGroup implements AsyncDisposable {
  readonly folder: string
  /** Processes outside the group are not limited. */
  readonly limited: boolean
  readonly #agent: string

  /**
   * @param folder an existing group, which is removed at the end
   * @param agent the agent's own group, in which its children start
   */
  constructor(folder: string, agent: string, limited = false) {
    this.folder = folder
    this.limited = limited
    this.#agent = agent
  }

  /** @throws if the group cannot be made or does not accept a limit; no group is then left */
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
   * Moves the leader of a session into the group. Call in the tick in which the leader was started. The
   * kernel needs 5 to 40 ms for a move (a grace period of RCU). In this time, a shell would fork its first
   * command outside the group. So the leader is stopped before another thread moves it, and continued after
   * the move. Processes that the leader forked before the stop are moved, too, if they are in the leader's
   * session. `ending/orphans.ts` finds all others at the end. (A start inside the group needs glibc 2.39.)
   * @returns false if the leader could not be moved, for example because it has ended; never rejects
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

  /** Includes processes in subgroups that the command made. */
  pids(): number[] {
    return pidsIn(this.folder)
  }

  /** Returns before the processes have ended. cgroup.kill (since 5.14) kills all at the same time. */
  kill(): void {
    if (tryWrite(this.#file('cgroup.kill'), 1)) return
    for (const pid of this.pids()) signal(pid, 'SIGKILL')
  }

  /**
   * Returns whether the kernel has killed a process of the group because memory ran out in the group or in
   * the machine. Call before disposal.
   */
  oomKilled(): boolean {
    return (readCount(this.#file('memory.events'), 'oom_kill') ?? 0) > 0
  }

  /** Does not end processes. Returns whether the group is removed. */
  removeEmpty(): boolean {
    return removeGroup(this.folder)
  }

  /** Kills the remaining processes. If one survives for two seconds, the next agent removes the group. */
  async [Symbol.asyncDispose](): Promise<void> {
    const end = performance.now() + KILLED_MS
    for (let wait = FIRST_LOOK_MS; !removeGroup(this.folder); wait = Math.min(wait * 2, MAX_LOOK_MS)) {
      if (performance.now() > end) return
      // The kill is repeated: without cgroup.kill a process that is just being forked survives one round.
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

/** @throws if a requested limit cannot be set */
export function setLimits(folder: string, { memoryMaxBytes, pidsMax }: GroupLimits): void {
  if (memoryMaxBytes !== undefined) {
    writeValue(path.join(folder, 'memory.max'), memoryMaxBytes)
    // Without this value, memory over the limit is swapped out, and the command gets slow instead of being
    // killed. On a machine without swap, the file does not exist.
    tryWrite(path.join(folder, 'memory.swap.max'), 0)
  }
  if (pidsMax !== undefined) writeValue(path.join(folder, 'pids.max'), pidsMax)
  // With this value, the kernel kills the whole group. Otherwise a shell would go on without the killed
  // command and do half of its work.
  tryWrite(path.join(folder, 'memory.oom.group'), 1)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // The process has ended meanwhile, or it belongs to another user.
  }
}

const CONTROLLERS = ['memory', 'pids'] as const

/** `agent-ID` is the group of an agent. `s-ID-n-name` is the group of one of this agent's executions. */
const OURS = /^(agent|s)-([0-9a-f]{8})(?:-|$)/
const MAX_NAME = 40

export interface AdoptOptions extends GroupLimits {
  /** What happens to processes that dead agents left in their groups (default: `kill`). */
  readonly leftovers?: 'kill' | 'leave'
  /** The process whose group is divided (default: this process). */
  readonly pid?: number
  /** The folder of the process `pid` in /proc (default: `/proc/PID`). */
  readonly proc?: string
}

/**
 * Divides the agent's cgroup v2 group into a subgroup for the agent and one for each execution. The agent is
 * moved first, because a group with controllers for its subgroups may contain no processes. Other processes
 * are not moved. If the group contains other processes, executions have groups, but no limits. The agent
 * needs the right to make groups. The root group of the machine is not divided. It is the only group without
 * `cgroup.type`. (The root of a cgroup namespace looks like `/`, but it is an ordinary group.)
 */
export class ControlGroups implements Disposable {
  /** The agent's group before the division. */
  readonly folder: string
  /** Sentences that say what does not work and why. */
  readonly missing: readonly string[]
  readonly #id: string
  readonly #agent: string
  readonly #pid: number
  readonly #limits: GroupLimits
  /** Controllers that this agent has switched on. */
  readonly #enabled: readonly string[]
  #created = 0
  #left: ControlGroup[] = []

  private constructor(folder: string, id: string, pid: number, limits: GroupLimits) {
    const { enabled, active, missing } = enableControllers(folder)
    this.folder = folder
    this.missing = missing
    this.#id = id
    this.#agent = agentFolder(folder, id)
    this.#pid = pid
    this.#enabled = enabled
    this.#limits = {
      memoryMaxBytes: active.includes('memory') ? limits.memoryMaxBytes : undefined,
      pidsMax: active.includes('pids') ? limits.pidsMax : undefined,
    }
  }

  /**
   * Divides the group. Call before any command is started. Takes up to two seconds if dead agents left
   * processes. Never rejects.
   * @returns an object with `reason` if groups are not possible; nothing has then changed
   */
  static async adopt(options: AdoptOptions = {}): Promise<ControlGroups | { readonly reason: string }> {
    const pid = options.pid ?? process.pid
    const folder = groupFolder('v2', pid, options.proc ?? `/proc/${pid}`)
    if (folder === undefined) return { reason: 'no mounted cgroup v2 shows the group of this process' }
    const [type] = readWords(path.join(folder, 'cgroup.type'))
    if (type === undefined) return { reason: `${folder} is the root of all groups of this machine` }
    if (type !== 'domain') return { reason: `${folder} is of the type ${type}` }
    const id = randomBytes(4).toString('hex')
    const refusal = moveInto(agentFolder(folder, id), pid)
    if (refusal !== undefined)
      return { reason: `${folder} is not delegated to this process (systemd: Delegate=yes): ${refusal}` }
    await removeDead(folder, options.leftovers ?? 'kill')
    return new ControlGroups(folder, id, pid, options)
  }

  /**
   * @param name part of the folder's name, for people; characters that are not allowed are left out
   * @throws like `ControlGroup.create`
   */
  create(name: string): ControlGroup {
    this.#left = this.#left.filter((group) => !group.removeEmpty())
    const plain = name.replace(/[^\w-]/g, '').slice(0, MAX_NAME)
    this.#created += 1
    const folder = path.join(this.folder, `s-${this.#id}-${this.#created}-${plain}`)
    return ControlGroup.create(folder, this.#agent, this.#limits)
  }

  /** Does not end processes. The group is removed when it is empty. */
  leave(group: ControlGroup | undefined): void {
    if (group !== undefined && !group.removeEmpty()) this.#left.push(group)
  }

  /** Restores the group if it contains no other agent. Call after all executions have ended. */
  [Symbol.dispose](): void {
    const all = ours(this.folder)
    for (const { id, kind, group } of all) if (id === this.#id && kind === 's') removeGroup(group)
    if (all.some(({ id }) => id !== this.#id)) return
    for (const controller of this.#enabled) tryWrite(subtreeControl(this.folder), `-${controller}`)
    tryWrite(path.join(this.folder, 'cgroup.procs'), this.#pid)
    removeGroup(this.#agent)
  }
}

function agentFolder(folder: string, id: string): string {
  return path.join(folder, `agent-${id}`)
}

function subtreeControl(folder: string): string {
  return path.join(folder, 'cgroup.subtree_control')
}

/**
 * Returns undefined, or the reason why the process could not be moved. After a failure, the groups are as
 * before.
 */
function moveInto(group: string, pid: number): string | undefined {
  try {
    mkdirSync(group)
    writeValue(path.join(group, 'cgroup.procs'), pid)
    return undefined
  } catch (error) {
    removeGroup(group)
    return error instanceof Error ? error.message : String(error)
  }
}

interface Controllers {
  readonly enabled: readonly string[]
  readonly active: readonly string[]
  readonly missing: readonly string[]
}

/**
 * Switches controllers on one by one. If one write had two controllers and one of them failed, none would be
 * switched on.
 */
function enableControllers(folder: string): Controllers {
  const offered = readWords(path.join(folder, 'cgroup.controllers'))
  const before = readWords(subtreeControl(folder))
  const wanted = CONTROLLERS.filter((one) => !before.includes(one))
  const enabled = wanted.filter((one) => offered.includes(one) && tryWrite(subtreeControl(folder), `+${one}`))
  const missing = wanted
    .filter((one) => !enabled.includes(one))
    .map((one) => `no limits by the ${one} controller: ${obstacle(folder, offered.includes(one))}`)
  return { enabled, active: [...before, ...enabled], missing }
}

function obstacle(folder: string, offered: boolean): string {
  if (!offered) return `${folder} does not offer this controller`
  const others = readWords(path.join(folder, 'cgroup.procs')).length
  return others === 0
    ? `the kernel refuses this controller to ${folder}`
    : `${folder} contains ${others} other processes`
}

/**
 * Removes the groups of killed agents. In a container, each start of the agent is in the same group. Under
 * systemd, each start gets a new group. An agent is dead if no process lives in its `agent-ID`. Pids prove
 * nothing, because containers reuse them and other namespaces hide them. The groups are listed before the
 * check. An execution's group is never older than its agent, so the agent of a listed execution is already
 * there if it lives.
 */
async function removeDead(folder: string, leftovers: 'kill' | 'leave'): Promise<void> {
  const dead = ours(folder).filter(({ id }) => isDead(agentFolder(folder, id)))
  // Groups of agents are only removed if they are empty, and not killed. An agent that is just starting may
  // be about to move into its group.
  for (const { kind, group } of dead) if (kind === 'agent' || leftovers === 'leave') removeGroup(group)
  if (leftovers === 'leave') return
  const executions = dead.filter(({ kind }) => kind === 's')
  await Promise.all(executions.map(({ group }) => new ControlGroup(group, folder)[Symbol.asyncDispose]()))
}

/** Returns true if the agent is certainly dead. A group that cannot be read proves nothing. */
function isDead(agent: string): boolean {
  return !existsSync(agent) || readCount(path.join(agent, 'cgroup.events'), 'populated') === 0
}

function ours(folder: string): { readonly kind: string; readonly id: string; readonly group: string }[] {
  return subgroups(folder).flatMap((group) => {
    const [, kind, id] = OURS.exec(path.basename(group)) ?? []
    return kind === undefined || id === undefined ? [] : [{ kind, id, group }]
  })
}
