import type { ControlGroup } from '../../runtime/linux/cgroup-execution.ts'
import { processEntry } from '../../runtime/ending/process-table.ts'
import type { ExecutionEnd } from './closing.ts'
import type { CommandOwner } from './command-owner.ts'
import { RefusedError } from '../refused.ts'
import type { SessionServices } from './session-services.ts'

/** The control group of one execution, where the agent has any, and what the kernel killed for lack of memory. */
export class ExecutionGroup implements AsyncDisposable {
  readonly #group: ControlGroup | undefined
  readonly #services: Pick<SessionServices, 'groups' | 'log' | 'oom' | 'settings'>
  readonly #mark: number
  readonly #owner: Pick<CommandOwner, 'sid' | 'endReason'>

  /** @throws RefusedError when the group cannot be made or a limit cannot be set */
  constructor(owner: Pick<CommandOwner, 'sid' | 'endReason'>, services: SessionServices) {
    this.#owner = owner
    this.#services = services
    this.#mark = services.oom.mark()
    try {
      this.#group = services.groups?.create(owner.sid)
    } catch (error) {
      throw new RefusedError((error as Error).message)
    }
  }

  /**
   * In the tick of the start: what the command forks before is outside.
   * @throws RefusedError when a limit is set that would not hold
   */
  async add(pid: number | undefined): Promise<void> {
    if (pid === undefined || this.#group === undefined || (await this.#group.add(pid))) return
    // One that has ended has nothing to be moved.
    if (processEntry(pid)?.ended !== false) return
    if (this.#group.limited)
      throw new RefusedError('the command could not be put under its limits and was ended')
    this.#services.log.warn(
      { sid: this.#owner.sid, pid },
      'a command could not be moved into its control group',
    )
  }

  /** Whether memory was the cause of a command's end; `end` is all that is known of it. */
  outOfMemory({ status, reason }: Pick<ExecutionEnd, 'status' | 'reason'>): ExecutionEnd['outOfMemory'] {
    if (status.kind !== 'signaled' || status.signal !== 'SIGKILL' || reason !== undefined) return undefined
    return this.#group?.oomKilled() === true ? 'certain' : this.#services.oom.since(this.#mark)
  }

  /** Kills what is left in the group, unless the command was allowed to leave it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const mayLeave = this.#services.settings.background === 'leave' && this.#owner.endReason === undefined
    if (mayLeave) this.#services.groups?.leave(this.#group)
    else await this.#group?.[Symbol.asyncDispose]()
  }
}
