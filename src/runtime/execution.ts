import type { WindowSize } from '../basics/window-size.ts'
import type { Child } from './child.ts'
import { ChildOutput, type Chunk } from './output/child-output.ts'
import type { ExitStatus } from './exit-status.ts'
import { hangUp } from './ending/hang-up.ts'
import { endGroup, groupExists } from './ending/kill-ladder.ts'
import { REAPED_MS } from './ending/ending-times.ts'
import { beginOwner, endOrphans, leaveOrphans, type Owner } from './ending/orphans.ts'
import { groupMembers } from './ending/process-table.ts'

/** Input that waits for a terminal whose program does not read. */
const MAX_UNWRITTEN_BYTES = 4 * 1024 * 1024

export interface ExecutionOptions {
  /** From SIGTERM to SIGKILL, milliseconds. */
  readonly graceMs: number
  /** What all of its processes have as their limit of file locks (`mark.ts`). Released by the execution. */
  readonly mark: bigint | undefined
  /** An entry of the command's environment that no other execution has: known by it is what shed the mark. */
  readonly marker: string
  /** What a command left behind when it ended by itself: ended with it (also when this is absent), or left alone. */
  readonly background?: 'kill' | 'leave'
}

/** One running command with everything that belongs to it. Whoever starts it reads `output` to its end, then awaits `exit`. */
export class Execution implements AsyncDisposable {
  readonly pid: number | undefined
  /** Ends with the last byte of the command itself, bounded by the drain rule. A slow reader slows the child. */
  readonly output: AsyncIterable<Chunk>
  /** Settles once the output has ended, the child is reaped and what it left behind is gone or left. Never rejects. */
  readonly exit: Promise<ExitStatus>
  readonly #child: Child
  readonly #output: ChildOutput
  readonly #options: ExecutionOptions
  readonly #owner: Owner
  #reaped = false
  #groupLeft = true
  #ending: Promise<void> | undefined
  #giveUp!: (status: ExitStatus) => void
  readonly #unkillable = new Promise<ExitStatus>((resolve) => (this.#giveUp = resolve))
  #givingUp: NodeJS.Timeout | undefined
  readonly #ended = new Set<number>()

  constructor(child: Child, options: ExecutionOptions) {
    this.#child = child
    this.#options = options
    this.pid = child.pid
    this.#output = new ChildOutput(child)
    this.output = this.#output
    this.#owner = { mark: options.mark, marker: options.marker, session: child.pid }
    beginOwner(this.#owner, options.background === 'leave')
    void child.reaped.then(() => this.#lookForGroup())
    this.exit = this.#finish()
  }

  /** After `exit`: how many processes were ended that the command had left behind, in its group or out of it. */
  get processesEnded(): number {
    return this.#ended.size
  }

  /** Whether the command itself has ended; its output and what it left behind may take longer. */
  get hasEnded(): boolean {
    return this.#reaped
  }

  /** Types on the command's terminal. False when the terminal has not taken 4 MiB of earlier input: the rest is lost. */
  type(data: Uint8Array): boolean {
    const { terminal } = this.#child
    if (terminal !== undefined && terminal.unwritten() > MAX_UNWRITTEN_BYTES) return false
    terminal?.write(data)
    return true
  }

  resize(size: WindowSize): void {
    this.#child.terminal?.resize(size)
  }

  /** Ends the command: SIGTERM to its group (SIGHUP on a terminal), SIGKILL after the grace. Returns at once; `exit` tells when it is over. */
  terminate(): void {
    if (this.#ending !== undefined) return
    this.#ending = this.#endGroup()
    void this.#ending.then(() => this.#giveUpUnlessReaped())
  }

  /** Ends the command if it still runs and gives everything back; for the ways out on which nobody reads on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate()
    this.#output.leave()
    await this.exit
  }

  /** In uninterruptible sleep, or another user's by now (sudo): waited for, it would hold its session for ever. */
  #giveUpUnlessReaped(): void {
    if (this.#reaped || this.pid === undefined) return
    const { pid } = this
    this.#givingUp = setTimeout(() => {
      if (this.#reaped) return
      this.#giveUp({ kind: 'failed', cause: new Error(`process ${pid} cannot be ended and goes on`) })
      this.#output.leave()
    }, REAPED_MS)
  }

  async #finish(): Promise<ExitStatus> {
    const status = await Promise.race([this.#child.exited, this.#unkillable])
    this.#output.drain()
    await this.#output.ended
    if (this.#options.background === 'leave' && this.#ending === undefined) this.#leave()
    else await this.#endRest()
    return status
  }

  #leave(): void {
    // From here on there is nothing to terminate.
    this.#ending = Promise.resolve()
    leaveOrphans(this.#owner)
  }

  /** What the command left running would hold locks, ports and secrets: it goes with it. */
  async #endRest(): Promise<void> {
    this.terminate()
    await this.#ending
    const orphans = await endOrphans(this.#owner, this.#options.graceMs)
    for (const pid of orphans) this.#ended.add(pid)
  }

  /** In the moment of the reaping: a group that still has members keeps its number, an empty one's may soon be another's. */
  #lookForGroup(): void {
    this.#reaped = true
    clearTimeout(this.#givingUp)
    this.#groupLeft = this.pid !== undefined && groupExists(this.pid)
  }

  async #endGroup(): Promise<void> {
    if (this.pid === undefined || !this.#groupLeft) return
    // What runs beside a command that runs is its own work; what is there after its end it has left behind.
    const left = this.#reaped ? groupMembers(this.pid) : []
    // While a slow reader took the rest of the output the group ended and another process got the number.
    if (left.includes(this.pid)) return
    for (const pid of left) this.#ended.add(pid)
    // What is left behind ignores the hangup, or was not meant by it.
    const end = this.#child.terminal === undefined || this.#reaped ? endGroup : hangUp
    await end(this.pid, this.#options.graceMs)
  }
}
