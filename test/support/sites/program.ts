import { signalChild } from '../../../src/basics/signals.ts'
import { GATEWAY_COMMANDS } from '../../../src/commands/program/product.ts'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { fileURLToPath } from 'node:url'
import { found } from '../wait.ts'
import type { Workplace } from './workplace.ts'

/** What is built. To be started in a workplace: with its environment, it writes only there. */
export const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

/** Words that need the gateway's product, beside its commands: they name its unit, its settings or its state. */
const OF_GATEWAY = /^--(gateway|state)$|\bgateway[.]yaml$/

/**
 * Of a command. `AGENT_PRODUCT` is the folder of the agent's product; with it, everything that the product can
 * do runs from there.
 */
function mainOf(words: readonly string[]): string {
  const { AGENT_PRODUCT: product } = process.env
  const needsGateway =
    GATEWAY_COMMANDS.some((name) => name === words[0]) || words.some((word) => OF_GATEWAY.test(word))
  return product === undefined || needsGateway ? main : path.resolve(product, 'dist/main.js')
}

/** For a start on a machine that is busy with other tests. */
const START_MS = 25_000
/** Longer than any way out of the program itself. */
const END_MS = 25_000

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One process of the built program (`npm run build`). Disposing it ends it, whatever state it is in. */
export class Program implements AsyncDisposable {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #output = { stdout: '', stderr: '' }
  readonly #bytes: Buffer[] = []
  #ending: Ending | undefined

  /** @param env is added to the workplace's own; the working folder is the workplace */
  constructor(place: Workplace, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    if (!existsSync(main)) throw new Error(`${main} is missing: npm run build`)
    const child = spawn(process.execPath, [mainOf(args), ...args], {
      cwd: place.path,
      env: { ...place.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of ['stdout', 'stderr'] as const) {
      const decoder = new StringDecoder('utf8')
      child[stream].on('data', (piece: Buffer) => (this.#output[stream] += decoder.write(piece)))
    }
    child.stdout.on('data', (piece: Buffer) => this.#bytes.push(piece))
    // Not 'exit': by 'close' all output is here, and the agent of `dev`, which shares stderr, has ended too.
    child.once('close', (code, signal) => (this.#ending = { code, signal }))
    this.#child = child
    this.pid = child.pid ?? 0
  }

  get stdout(): string {
    return this.#output.stdout
  }

  /** For output that is no text. */
  get stdoutBytes(): Buffer {
    return Buffer.concat(this.#bytes)
  }

  get stderr(): string {
    return this.#output.stderr
  }

  /** The first match in what it prints, as soon as it is there; fails with its output when it ends before. */
  async says(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    const match = await found(
      () => pattern.exec(this.#output[stream]) ?? (this.#ending === undefined ? undefined : 'ended'),
      START_MS,
    ).catch(() => 'waited in vain' as const)
    if (typeof match === 'object') return match
    throw new Error(`${match} for ${String(pattern)}\n${this.stdout}\n${this.stderr}`)
  }

  signal(signal: NodeJS.Signals): void {
    signalChild(this.#child, signal)
  }

  async ended(withinMs = END_MS): Promise<Ending> {
    return found(() => this.#ending, withinMs)
  }

  /** SIGTERM, and the end. */
  async stop(): Promise<Ending> {
    this.signal('SIGTERM')
    return this.ended()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ending !== undefined) return
    // Twice: a test that failed in the middle of an execution does not wait for it.
    this.signal('SIGTERM')
    this.signal('SIGINT')
    await this.ended().catch(() => this.signal('SIGKILL'))
    await this.ended()
  }
}

/** Runs the program to its end. */
export async function runProgram(
  place: Workplace,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ending & { readonly stdout: string; readonly stderr: string }> {
  await using program = new Program(place, args, env)
  const ending = await program.ended()
  return { ...ending, stdout: program.stdout, stderr: program.stderr }
}
