import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { ControlGroup, type GroupLimits } from './control-group.ts'
import { readCount, readWords, removeGroup, subgroups, tryWrite, writeValue } from './cgroup-files.ts'
import { groupFolder } from './cgroup-mounts.ts'

const CONTROLLERS = ['memory', 'pids'] as const

/** `agent-ID` is an agent's group, `s-ID-n-name` that of one of its executions. */
const OURS = /^(agent|s)-([0-9a-f]{8})(?:-|$)/
const MAX_NAME = 40

export interface AdoptOptions extends GroupLimits {
  /** What to do with processes that dead agents left in their groups; `kill` by default. */
  readonly leftovers?: 'kill' | 'leave'
  /** The process whose group is divided; this one by default. */
  readonly pid?: number
  /** Its folder in /proc. */
  readonly proc?: string
}

/**
 * Divides the cgroup v2 group in which the agent was started: the agent goes into one part, each execution into its
 * own. In v2 a group that passes controllers down may hold no processes, so the agent is moved first.
 * Used only where we may make groups, and not in the root of the machine: that is the only group without `cgroup.type`.
 * (The root of a cgroup namespace also looks like `/`, but is an ordinary group.) Other processes in the group are left
 * where they are; executions then have groups, but no limits.
 */
export class ControlGroups implements Disposable {
  /** The agent's group as it was before. */
  readonly folder: string
  /** What does not work and why, in one sentence each. */
  readonly missing: readonly string[]
  readonly #id: string
  readonly #agent: string
  readonly #pid: number
  readonly #limits: GroupLimits
  /** Controllers that we have switched on. */
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
   * Call it before anything is started. Takes at most two seconds, when dead agents left something; never rejects.
   * @returns with `reason` when there can be no groups. Nothing has changed then
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

  /** @param name for people; characters that do not fit are left out. @throws see ControlGroup */
  create(name: string): ControlGroup {
    this.#left = this.#left.filter((group) => !group.removeEmpty())
    const plain = name.replace(/[^\w-]/g, '').slice(0, MAX_NAME)
    this.#created += 1
    const folder = path.join(this.folder, `s-${this.#id}-${this.#created}-${plain}`)
    return ControlGroup.create(folder, this.#agent, this.#limits)
  }

  /** Processes in the group may live on. The group is removed when it is empty. */
  leave(group: ControlGroup | undefined): void {
    if (group !== undefined && !group.removeEmpty()) this.#left.push(group)
  }

  /** Puts the group back as it was, unless another agent is in it. Call it when no execution is left. */
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

/** Moves a process. @returns why it did not work; nothing has changed then */
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

/** Written one by one. When one write names two controllers and one fails, neither is switched on. */
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
  if (!offered) return `${folder} does not have it`
  const others = readWords(path.join(folder, 'cgroup.procs')).length
  return others === 0 ? `the kernel refuses it to ${folder}` : `${folder} holds other processes, ${others}`
}

/**
 * Removes what killed agents left in this group (in a container, where the agent starts again in the same group;
 * systemd gives each start a new one). An agent is dead when nothing lives in its `agent-ID`. Pids would be no proof: a
 * container uses them again, and another pid namespace cannot see them. Checked after the listing, since an execution's
 * group is never older than its agent.
 */
async function removeDead(folder: string, leftovers: 'kill' | 'leave'): Promise<void> {
  const dead = ours(folder).filter(({ id }) => isDead(agentFolder(folder, id)))
  // Groups of agents are not killed: an agent that starts right now may be about to move into one.
  for (const { kind, group } of dead) if (kind === 'agent' || leftovers === 'leave') removeGroup(group)
  if (leftovers === 'leave') return
  const executions = dead.filter(({ kind }) => kind === 's')
  await Promise.all(executions.map(({ group }) => new ControlGroup(group, folder)[Symbol.asyncDispose]()))
}

/** Answers true only when it is certain. A group that cannot be read proves nothing. */
function isDead(agent: string): boolean {
  return !existsSync(agent) || readCount(path.join(agent, 'cgroup.events'), 'populated') === 0
}

function ours(folder: string): { readonly kind: string; readonly id: string; readonly group: string }[] {
  return subgroups(folder).flatMap((group) => {
    const [, kind, id] = OURS.exec(path.basename(group)) ?? []
    return kind === undefined || id === undefined ? [] : [{ kind, id, group }]
  })
}
