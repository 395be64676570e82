import { once } from 'node:events'
import { type Engine, loadEngine } from '../../../runtime/engine.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { canReadEnvironment, tryCleanup, tryCommand, tryTerminal } from './trials.ts'
import { signalChild } from '../../../basics/signals.ts'
import { type ChildProcess, fork } from 'node:child_process'

/** The trials by name. Answers go to the parent as JSON over the channel. */
const trials = {
  command: tryCommand,
  terminal: tryTerminal,
  cleanup: tryCleanup,
  environ: canReadEnvironment,
} as const

type TrialName = keyof typeof trials
type TrialResult<Name extends TrialName> = Awaited<ReturnType<(typeof trials)[Name]>>
type TrialAnswer = { readonly result: unknown } | { readonly error: string }

/**
 * `runbook-agent doctor-trial`, started by `doctor`: runs commands in a process of its own, guarded like an agent. If
 * doctor itself were a subreaper, it might adopt processes that it did not start: an exec may have given it children.
 */
export async function trialCommand(): Promise<void> {
  if (process.send === undefined) throw new Failure('only doctor may start doctor-trial', exitCodes.usage)
  // Ctrl-C reaches this process, too, which ends when its channel ends and its command has.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
  const life = new AbortController()
  const engine = await loadEngine()
  const guarded = guard(engine)
  let last: Promise<void> = Promise.resolve()
  process.on('message', (name: TrialName) => {
    last = answer(name, engine, guarded, life.signal)
  })
  await once(process, 'disconnect')
  life.abort()
  await last
}

/** @returns why processes that leave their session cannot be followed */
function guard(engine: Engine): string | undefined {
  try {
    engine.guard()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

async function answer(
  name: TrialName,
  engine: Engine,
  guarded: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (guarded !== undefined && name === 'cleanup')
      throw new Error(`what leaves its session cannot be followed on this system: ${guarded}`)
    tell({ result: await trials[name](engine, signal) })
  } catch (error) {
    tell({ error: (error as Error).message })
  }
}

/** Answers the parent, which may have given up. */
function tell(message: TrialAnswer): void {
  if (process.connected) process.send?.(message)
}

/** Time to end a command and remove the runtime folder. After that the process is killed. */
const END_MS = 3000

/** The process in which doctor runs commands. It has to be disposed. */
export class TrialProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  /** @param main the program's file, which has the command `doctor-trial` */
  constructor(main: string) {
    this.#child = fork(main, ['doctor-trial'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    this.#exited = once(this.#child, 'exit')
    // `ask` reports an unexpected end.
    this.#exited.catch(() => undefined)
  }

  /** One question at a time. Rejects when the process ends instead of answering, or at the signal. */
  async ask<Name extends TrialName>(name: Name, signal: AbortSignal): Promise<TrialResult<Name>> {
    const answered = once(this.#child, 'message', { signal })
    if (this.#child.connected) this.#child.send(name)
    const ended = this.#exited.then(() => {
      throw new Error('the process for test commands has ended')
    })
    const [answer] = (await Promise.race([answered, ended])) as [TrialAnswer]
    if ('error' in answer) throw new Error(answer.error)
    return answer.result as TrialResult<Name>
  }

  /** Also ends a command that still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    const kill = setTimeout(() => signalChild(this.#child, 'SIGKILL'), END_MS)
    await this.#exited.catch(() => undefined)
    clearTimeout(kill)
  }
}
