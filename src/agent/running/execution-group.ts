import type { ControlGroup } from '../../runtime/cgroups/control-groups.ts'
import { processEntry } from '../../runtime/ending/process-table.ts'
import type { EndedExecution } from './ending.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import { RefusedError } from '../refused.ts'
import type { CommandServices } from './services.ts'

export interface LogSubject {
  readonly sid: SessionId
  /** Undefined for a system request, and before the request is checked. */
  readonly connection?: string | undefined
}

/** The control group of one execution, if the agent can make groups. */
export class ExecutionGroup implements AsyncDisposable {
  readonly #group: ControlGroup | undefined
  readonly #services: Pick<CommandServices, 'groups' | 'log' | 'oom'>
  readonly #subject: LogSubject
  readonly #memoryMark: number | undefined
  #mayLeave = false

  /** @throws RefusedError if the group cannot be made or a limit cannot be set */
  constructor(subject: LogSubject, services: Pick<CommandServices, 'groups' | 'log' | 'oom'>) {
    this.#subject = subject
    this.#services = services
    this.#memoryMark = services.oom?.mark()
    try {
      this.#group = services.groups?.create(subject.sid)
    } catch (error) {
      throw new RefusedError((error as Error).message)
    }
  }

  /** If true, the command has to be moved into the group in the tick of its start. */
  get exists(): boolean {
    return this.#group !== undefined
  }

  /**
   * Call in the tick in which the command was started. If the command forks before this call, the new process
   * stays outside the group.
   * @throws RefusedError if the command cannot be moved and the group has a limit
   */
  async add(pid: number | undefined): Promise<void> {
    if (pid === undefined || this.#group === undefined || (await this.#group.add(pid))) return
    // A command that has already ended need not be moved.
    if (processEntry(pid)?.ended !== false) return
    if (this.#group.limited)
      throw new RefusedError('the command could not be put under its limits and was ended')
    const fields = { ...this.#subject, pid }
    this.#services.log.warn(fields, 'a command could not be moved into its control group')
  }

  outOfMemory({ status, reason }: Pick<EndedExecution, 'status' | 'reason'>): EndedExecution['outOfMemory'] {
    if (status.kind !== 'signaled' || status.signal !== 'SIGKILL' || reason !== undefined) return undefined
    if (this.#group?.oomKilled() === true) return 'certain'
    return this.#memoryMark === undefined ? undefined : this.#services.oom?.since(this.#memoryMark)
  }

  leaveRest(): void {
    this.#mayLeave = true
  }

  /** Kills the remaining processes of the group, if `leaveRest` was not called. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#mayLeave) this.#services.groups?.leave(this.#group)
    else await this.#group?.[Symbol.asyncDispose]()
  }
}
