import { Readable } from 'node:stream'
import type { WindowSize } from '../basics/window-size.ts'
import { type Child, ChildOutput, type Chunk, type Command, type StartOptions } from './child.ts'
import type { Engine } from './engine.ts'
import type { ExitStatus } from './exit-status.ts'
import { endGroup, groupExists, hangUp, REAPED_MS } from './ending/kill-ladder.ts'
import {
  registerOwner,
  endOrphans,
  unregisterOwner,
  leaveOrphans,
  type OrphanOwner,
} from './ending/orphans.ts'
import { groupMembers, takeMark } from './ending/process-table.ts'
import { deferred } from '../basics/deferred.ts'

/** Maximum number of input bytes that wait for a terminal whose program does not read. */
const MAX_UNWRITTEN_BYTES = 4 * 1024 * 1024

interface ExecutionOptions {
  /** Milliseconds from SIGTERM to SIGKILL. */
  readonly graceMs: number
  /** What happens to processes that are left when a command ends by itself (default: `kill`). */
  readonly background?: 'kill' | 'leave' | undefined
}

interface ExecuteOptions extends ExecutionOptions, Omit<StartOptions, 'mark'> {
  /** A random uuid, the same for all executions of an agent. */
  readonly instance: string
  /**
   * An environment entry that no other execution has. It shows to which execution a process without a mark
   * belongs.
   */
  readonly marker: string
  /** Undefined for a command without a terminal. */
  readonly terminal?: WindowSize
}

/**
 * Starts a command. A command that cannot be started has the exit status `failed`.
 * @throws only the reason of `signal`, if it is aborted while the command waits for earlier starts
 */
export async function execute(engine: Engine, command: Command, options: ExecuteOptions): Promise<Execution> {
  const { terminal, instance, marker, graceMs, background, signal, onThisThread } = options
  // The owner is registered before the start. Otherwise another execution that ends now would end processes
  // that the command leaves early.
  const owner = registerOwner({ mark: takeMark(instance), marker }, background === 'leave')
  const how = { mark: owner.mark, signal, onThisThread }
  try {
    const child =
      terminal === undefined
        ? await engine.start(command, how)
        : await engine.startTerminal(command, terminal, how)
    return new Execution(child, owner, { graceMs, background })
  } catch (error) {
    if (signal?.aborted !== true || error !== signal.reason)
      return new Execution(failed(error as Error), owner, { graceMs, background })
    unregisterOwner(owner)
    throw error
  }
}

function failed(cause: Error): Child {
  return {
    pid: undefined,
    stdout: Readable.from([]),
    stderr: Readable.from([]),
    reaped: Promise.resolve(),
    exited: Promise.resolve({ kind: 'failed', cause }),
    unread: () => 0,
  }
}

/** One running command with all its processes and output. Read `output` to its end, then await `exit`. */
export class Execution implements AsyncDisposable {
  readonly pid: number | undefined
  /**
   * Ends with the last byte that the command itself writes, within the limits of `drain`. A slow reader slows
   * the child.
   */
  readonly output: AsyncIterable<Chunk>
  /**
   * Settles when the output has ended, the child is reaped, and the processes that it left are ended or
   * released. Never rejects.
   */
  readonly exit: Promise<ExitStatus>
  readonly #child: Child
  readonly #output: ChildOutput
  readonly #options: ExecutionOptions
  readonly #owner: OrphanOwner
  #reaped = false
  #groupLeft = true
  #killing: Promise<void> | undefined
  /** Settled if the child cannot be killed. */
  readonly #unkillable = deferred<ExitStatus>()
  #givingUp: NodeJS.Timeout | undefined
  readonly #ended = new Set<number>()

  /** @param owner registered before the start; the registration ends with the execution */
  constructor(child: Child, owner: OrphanOwner, options: ExecutionOptions) {
    this.#child = child
    this.#options = options
    this.pid = child.pid
    this.#owner = owner
    owner.session = child.pid
    this.#output = new ChildOutput(child)
    this.output = this.#output
    void child.reaped.then(() => this.#noteReaped())
    this.exit = this.#finish()
  }

  /**
   * Number of processes that the command left inside and outside its group and that were ended. Known after
   * `exit`.
   */
  get processesEnded(): number {
    return this.#ended.size
  }

  /** Whether the command itself has ended. Its output and the processes that it left may take longer. */
  get hasEnded(): boolean {
    return this.#reaped
  }

  /** Returns false and drops the data if more than 4 MiB of earlier input still wait. */
  type(data: Uint8Array): boolean {
    const { terminal } = this.#child
    if (terminal !== undefined && terminal.unwritten() > MAX_UNWRITTEN_BYTES) return false
    terminal?.write(data)
    return true
  }

  resize(size: WindowSize): void {
    this.#child.terminal?.resize(size)
  }

  /**
   * Sends SIGTERM to the command's group (SIGHUP on a terminal), and SIGKILL after `graceMs`. Returns
   * immediately.
   */
  terminate(): void {
    if (this.#killing !== undefined) return
    this.#killing = this.#endGroup()
    void this.#killing.then(() => this.#giveUpUnlessReaped())
  }

  /** Ends the command if it still runs. For callers that stop reading early. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate()
    this.#output.leave()
    await this.exit
  }

  /**
   * Gives up on a process that cannot be killed, because it is in uninterruptible sleep or belongs to another
   * user (sudo). Otherwise the session would wait for this process for ever.
   */
  #giveUpUnlessReaped(): void {
    if (this.#reaped || this.pid === undefined) return
    const { pid } = this
    this.#givingUp = setTimeout(() => {
      if (this.#reaped) return
      this.#unkillable.resolve({
        kind: 'failed',
        cause: new Error(`process ${pid} cannot be ended and continues to run`),
      })
      this.#output.leave()
    }, REAPED_MS)
  }

  async #finish(): Promise<ExitStatus> {
    const status = await Promise.race([this.#child.exited, this.#unkillable.promise])
    this.#output.drain()
    await this.#output.ended
    if (this.#options.background === 'leave' && this.#killing === undefined) this.#leave()
    else await this.#endRest()
    return status
  }

  #leave(): void {
    // The command has ended, so there is nothing left to terminate.
    this.#killing = Promise.resolve()
    leaveOrphans(this.#owner)
  }

  /** Ends the processes that the command left, because they would keep locks, ports and secrets. */
  async #endRest(): Promise<void> {
    this.terminate()
    await this.#killing
    const orphans = await endOrphans(this.#owner, this.#options.graceMs)
    for (const pid of orphans) this.#ended.add(pid)
  }

  /**
   * Checks now whether the group has other members. A group with members keeps its number. The number of an
   * empty group may later belong to another group.
   */
  #noteReaped(): void {
    this.#reaped = true
    clearTimeout(this.#givingUp)
    this.#groupLeft = this.pid !== undefined && groupExists(this.pid)
  }

  async #endGroup(): Promise<void> {
    if (this.pid === undefined || !this.#groupLeft) return
    // Processes beside a running command are part of its work. After the command's end they count as left.
    const left = this.#reaped ? groupMembers(this.pid) : []
    // A reaped child is not in its group. If its pid is in this group, the pid belongs to another process:
    // the command's group ended while a slow reader read.
    if (left.includes(this.pid)) return
    for (const pid of left) this.#ended.add(pid)
    // `hangUp` is not used after the command's end, because the processes that are left ignore SIGHUP or did
    // not receive it.
    const end = this.#child.terminal === undefined || this.#reaped ? endGroup : hangUp
    await end(this.pid, this.#options.graceMs)
  }
}
