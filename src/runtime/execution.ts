import type { Child, WindowSize } from './child.ts'
import { endGroup } from './kill-ladder.ts'
import { ChildOutput, type Chunk } from './child-output.ts'
import type { ExitStatus } from './exit-status.ts'

/** Input that waits for a terminal whose program does not read. */
const MAX_UNWRITTEN_BYTES = 4 * 1024 * 1024

/** One running command with everything that belongs to it. Whoever starts it reads `output` to its end, then awaits `exit`. */
export class Execution {
  readonly pid: number | undefined
  /** Ends with the last byte of the command itself, bounded by the drain rule. A slow reader slows the child. */
  readonly output: AsyncIterable<Chunk>
  /** Settles once the output has ended, the child is reaped and its process group is gone. Never rejects. */
  readonly exit: Promise<ExitStatus>
  #ended: Promise<void> | undefined
  readonly #child: Child
  readonly #graceMs: number

  /** @param graceMs from SIGTERM to SIGKILL, milliseconds */
  constructor(child: Child, graceMs: number) {
    this.#child = child
    this.#graceMs = graceMs
    this.pid = child.pid
    const output = new ChildOutput(child)
    this.output = output
    this.exit = this.#finish(output)
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

  async #finish(output: ChildOutput): Promise<ExitStatus> {
    const status = await this.#child.exited
    output.drain()
    await output.ended
    // What the command left running in its group would hold locks, ports and secrets: it goes with it.
    this.#ended ??= this.#endGroup()
    await this.#ended
    return status
  }

  async #endGroup(): Promise<void> {
    // Interactive shells ignore SIGTERM; what a terminal's end means to them is SIGHUP.
    const first = this.#child.terminal === undefined ? 'SIGTERM' : 'SIGHUP'
    if (this.pid !== undefined) await endGroup(this.pid, this.#graceMs, first)
  }
}
