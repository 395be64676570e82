import { signalChild } from '../../../basics/signal-child.ts'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { TrialAnswer, TrialName, TrialResult } from './trial.ts'

/** Time to end a command and remove the runtime folder. After that the process is killed. */
const END_MS = 3000

/** The process in which doctor runs commands. Whoever starts it has to dispose it. */
export class TrialProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  /** @param main the program's file, which has the command `doctor-trial` */
  constructor(main: string) {
    this.#child = fork(main, ['doctor-trial'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    this.#exited = once(this.#child, 'exit')
    // An unexpected end is reported to whoever asks.
    this.#exited.catch(() => undefined)
  }

  /** One question at a time. Rejects when the process ends instead of answering, or at the signal. */
  async ask<Name extends TrialName>(name: Name, signal: AbortSignal): Promise<TrialResult<Name>> {
    const answered = once(this.#child, 'message', { signal })
    if (this.#child.connected) this.#child.send(name)
    const ended = this.#exited.then(() => {
      throw new Error('the process that runs the commands has ended')
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
