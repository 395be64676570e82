import type { Execution } from '../../../src/runtime/execution.ts'
import type { ExitStatus } from '../../../src/runtime/exit-status.ts'
import { start, type Run } from '../sites/execute.ts'
import { shown } from '../wait.ts'

/** A program on a terminal, with a reader that never sleeps. Disposing it ends it. */
export class Console implements AsyncDisposable {
  readonly execution: Execution
  /** Settles when all output has been read and the program is reaped. */
  readonly ended: Promise<ExitStatus>
  readonly #parts: Buffer[] = []

  static async start(argv: readonly string[], run: Run = {}): Promise<Console> {
    return new Console(await start(argv, { terminal: { cols: 80, rows: 24 }, ...run }))
  }

  /** A shell as people meet it; its prompt is `$ `. */
  static async shell(run: Run = {}): Promise<Console> {
    const shell = await Console.start(['bash', '--norc', '--noprofile', '-i'], {
      ...run,
      environment: ['PS1=$ ', 'HISTFILE=', ...(run.environment ?? [])],
    })
    await shell.says(/\$ $/)
    return shell
  }

  private constructor(execution: Execution) {
    this.execution = execution
    this.ended = this.#read()
  }

  get output(): Buffer {
    return Buffer.concat(this.#parts)
  }

  get pid(): number {
    return this.execution.pid ?? 0
  }

  /** The first match in what the terminal shows, as soon as it is there. */
  says(pattern: RegExp): Promise<RegExpExecArray> {
    return shown(() => this.output, pattern)
  }

  type(data: string | Uint8Array): boolean {
    return this.execution.type(Buffer.from(data))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.execution.terminate()
    await this.ended
  }

  async #read(): Promise<ExitStatus> {
    for await (const { data } of this.execution.output) this.#parts.push(Buffer.from(data))
    return await this.execution.exit
  }
}
