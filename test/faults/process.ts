import { signalChild } from '../../src/basics/signals.ts'
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pLimit from 'p-limit'
import { main } from '../support/sites/program.ts'
import { waitFor } from '../support/wait.ts'

const clock = fileURLToPath(new URL('shifted-clock.mjs', import.meta.url))

/** For anything that a healthy program does at once, on a machine that is busy with other things. */
export const PATIENCE_MS = 60_000

/** A gateway or an agent of the rig. What it prints goes into files, which stay when a round fails. */
export class Process {
  readonly name: string
  readonly pid: number
  /** The rig has ended it, or is about to: an end without that is the program's own. */
  endExpected = false
  readonly #child: ChildProcess
  readonly #files: { readonly out: string; readonly err: string }
  #ending: string | undefined

  /** @param log the beginning of the names of its two log files */
  constructor(log: string, args: readonly string[], env: Readonly<Record<string, string>>, cwd: string) {
    this.name = log.slice(log.lastIndexOf('/') + 1)
    this.#files = { out: `${log}.out`, err: `${log}.err` }
    const [out, err] = [openSync(this.#files.out, 'w'), openSync(this.#files.err, 'w')]
    this.#child = spawn(process.execPath, ['--import', clock, main, ...args], {
      cwd,
      env,
      stdio: ['ignore', out, err],
    })
    closeSync(out)
    closeSync(err)
    this.pid = this.#child.pid ?? 0
    this.#child.once('exit', (code, signal) => (this.#ending = String(signal ?? code)))
  }

  get hasEnded(): boolean {
    return this.#ending !== undefined
  }

  /** Ended, and not by the rig; undefined when all is well. */
  get ownEnd(): string | undefined {
    return this.endExpected || this.#ending === undefined ? undefined : this.#ending
  }

  get errors(): string {
    return readFileSync(this.#files.err, 'utf8')
  }

  /** The first match in what it has printed; undefined when it ends before. */
  async prints(file: 'out' | 'err', pattern: RegExp): Promise<RegExpExecArray | undefined> {
    const look = () => pattern.exec(readFileSync(this.#files[file], 'utf8'))
    await waitFor(() => this.hasEnded || look() !== null, PATIENCE_MS)
    return look() ?? undefined
  }

  /** Nothing happens to one that has ended: its number may be another's. */
  signal(signal: NodeJS.Signals): void {
    if (this.hasEnded) return
    if (signal === 'SIGKILL' || signal === 'SIGTERM') this.endExpected = true
    signalChild(this.#child, signal)
  }

  async ended(): Promise<string> {
    await waitFor(() => this.hasEnded, PATIENCE_MS).catch(() => {
      throw new Error(`${this.name} does not end within ${PATIENCE_MS / 1000} s`)
    })
    return this.#ending ?? ''
  }
}

/** The place of a gateway or an agent, in which one process after the other runs. */
export class Slot {
  readonly name: string
  /** All that ever ran here. */
  readonly processes: Process[] = []
  readonly #begin: (run: number) => Process
  /** One fault at a time: what one has stopped another must not start. */
  readonly exclusively = pLimit(1)

  constructor(name: string, begin: (run: number) => Process) {
    this.name = name
    this.#begin = begin
  }

  /** The process that runs; undefined between two. */
  get process(): Process | undefined {
    const last = this.processes.at(-1)
    return last?.hasEnded === false ? last : undefined
  }

  /** Starts one, unless one runs. */
  begin(): Process {
    if (this.process !== undefined) return this.process
    const process = this.#begin(this.processes.length + 1)
    this.processes.push(process)
    return process
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { process } = this
    process?.signal(signal)
    await process?.ended()
  }
}
