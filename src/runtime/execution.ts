import type { Child, WindowSize } from './child.ts'
import { endGroup, groupExists } from './kill-ladder.ts'
import { ChildOutput, type Chunk } from './child-output.ts'
import { endOrphans } from './orphans.ts'
import type { ExitStatus } from './exit-status.ts'

/** Input that waits for a terminal whose program does not read. */
const MAX_UNWRITTEN_BYTES = 4 * 1024 * 1024

export interface ExecutionOptions {
  /** From SIGTERM to SIGKILL, milliseconds. */
  readonly graceMs: number
  /** An entry of the command's environment that no other execution has: by it its descendants are known. */
  readonly marker: string
}

/** One running command with everything that belongs to it. Whoever starts it reads `output` to its end, then awaits `exit`. */
export class Execution implements AsyncDisposable {
  readonly pid: number | undefined
  /** Ends with the last byte of the command itself, bounded by the drain rule. A slow reader slows the child. */
  readonly output: AsyncIterable<Chunk>
  /** Settles once the output has ended, the child is reaped and its process group is gone. Never rejects. */
  readonly exit: Promise<ExitStatus>
  #ended: Promise<void> | undefined
  readonly #child: Child
  readonly #output: ChildOutput
  #groupLeft = true
  readonly #options: ExecutionOptions
  #orphansEnded = 0

  constructor(child: Child, options: ExecutionOptions) {
    this.#child = child
    this.#options = options
    this.pid = child.pid
    this.#output = new ChildOutput(child)
    this.output = this.#output
    // In this very moment: a group that still has members keeps its number, an empty one's may soon be another's.
    void child.reaped.then(() => (this.#groupLeft = child.pid !== undefined && groupExists(child.pid)))
    this.exit = this.#finish()
  }

  /** After `exit`: processes in sessions of their own that the command had left behind. */
  get orphansEnded(): number {
    return this.#orphansEnded
  }

  /** Types on the command's terminal. False when the terminal has not taken 4 MiB of earlier input: the rest is lost. */
  type(data: Uint8Array): boolean {
    const { terminal } = this.#child
    if (terminal === undefined || terminal.unwritten() > MAX_UNWRITTEN_BYTES) return false
    terminal.write(data)
    return true
  }

  resize(size: WindowSize): void {
    this.#child.terminal?.resize(size)
  }

  /** Ends the command: SIGTERM to its group, SIGKILL after the grace. Returns at once; `exit` tells when it is over. */
  terminate(): void {
    this.#ended ??= this.#endGroup()
  }

  /** Ends the command if it still runs and gives everything back; for the ways out on which nobody reads on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate()
    this.#output.leave()
    await this.exit
  }

  async #finish(): Promise<ExitStatus> {
    const status = await this.#child.exited
    this.#output.drain()
    await this.#output.ended
    // What the command left running in its group would hold locks, ports and secrets: it goes with it.
    this.#ended ??= this.#endGroup()
    await this.#ended
    this.#orphansEnded = await endOrphans(this.#options.marker, this.#options.graceMs)
    return status
  }

  async #endGroup(): Promise<void> {
    // Interactive shells ignore SIGTERM; what a terminal's end means to them is SIGHUP.
    const first = this.#child.terminal === undefined ? 'SIGTERM' : 'SIGHUP'
    if (this.pid !== undefined && this.#groupLeft) await endGroup(this.pid, this.#options.graceMs, first)
  }
}
