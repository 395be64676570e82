import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { main } from '../sites/program.ts'
import { found } from '../wait.ts'
import type { Workplace } from '../sites/workplace.ts'

/** Longer than any way out of the program itself. */
const END_MS = 25_000

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A line of bash in which `runbook-agent` is the built program: pipes, redirections, exit codes. */
export class Shell implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #output = { stdout: '', stderr: '' }
  readonly #closed: Promise<unknown>
  #code: number | null | undefined

  constructor(place: Workplace, line: string, env: Readonly<Record<string, string>> = {}) {
    const program = `runbook-agent() { ${quoted(process.execPath)} ${quoted(main)} "$@"; }\n`
    const child = spawn('bash', ['--norc', '--noprofile', '-c', `${program}${line}`], {
      cwd: place.path,
      env: { ...place.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a signal reaches the program as a terminal's Ctrl-C does.
      detached: true,
    })
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => (this.#output[stream] += text))
    }
    this.#closed = once(child, 'close').then(([code]) => (this.#code = code as number | null))
    this.#child = child
  }

  /** Of the shell. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  get stdout(): string {
    return this.#output.stdout
  }

  get stderr(): string {
    return this.#output.stderr
  }

  /** To everything that the line has started. */
  signal(signal: NodeJS.Signals): void {
    if (this.#code === undefined && this.#child.pid !== undefined) process.kill(-this.#child.pid, signal)
  }

  async says(stream: 'stdout' | 'stderr', text: string): Promise<void> {
    await found(() => (this.#output[stream].includes(text) ? true : undefined), END_MS)
  }

  async ended(): Promise<Ended> {
    await found(() => (this.#code === undefined ? undefined : true), END_MS)
    return { code: this.#code ?? null, stdout: this.stdout, stderr: this.stderr }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL')
    await this.#closed
  }
}

/** Runs a line to its end. */
export async function shell(
  place: Workplace,
  line: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  await using run = new Shell(place, line, env)
  return await run.ended()
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
