import { signalChild } from '../../basics/signals.ts'
import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { packageFiles } from '../../basics/files/package-files.ts'
import { longestStopMs, type StopSettings } from '../../agent/connection/timing.ts'
import type { DevState } from './state.ts'

/** The first wait before an agent is started again. It doubles up to the longest wait. */
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 10_000
/** The agent's times, given as flags: a settings file of this machine may have others. */
const STOP: StopSettings = { drainMs: 5000, killGraceMs: 10_000 }

/** The agent of `dev`, in a process of its own, which is started again when it dies. */
export class AgentProcess {
  readonly #state: DevState
  readonly #say: (line: string) => void
  readonly #stopping = new AbortController()
  #child: ChildProcess | undefined
  #over: Promise<void> | undefined

  constructor(state: DevState, say: (line: string) => void) {
    this.#state = state
    this.#say = say
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(): void {
    this.#over = this.#keep()
  }

  /** Stops the agent: SIGTERM, then SIGKILL after the longest time that it may take. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#signal('SIGTERM')
    const kill = setTimeout(() => this.#signal('SIGKILL'), longestStopMs(STOP))
    await this.#over
    clearTimeout(kill)
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child !== undefined) signalChild(this.#child, signal)
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      const startedAt = performance.now()
      const end = await this.#runOnce()
      if (this.#stopping.signal.aborted) return
      if (performance.now() - startedAt > LONGEST_WAIT_MS) wait = FIRST_WAIT_MS
      this.#say(`the agent died (${end}); it is started again in ${wait} ms`)
      await delay(wait, undefined, { signal }).catch(() => undefined)
    }
  }

  /**
   * Starts the agent in a session of its own: Ctrl-C reaches it only through this process. It ends when its channel
   * breaks.
   */
  #runOnce(): Promise<string> {
    const { credentialFile, agentConfigFile, agentFolder } = this.#state
    const times = ['--drain', `${STOP.drainMs}ms`, '--kill-grace', `${STOP.killGraceMs}ms`]
    const files = ['--config', agentConfigFile, '--key-file', credentialFile, '--state-dir', agentFolder]
    const child = spawn(process.execPath, [packageFiles.main, 'start', ...files, ...times], {
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: agentEnvironment(),
    })
    this.#child = child
    return new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message))
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${String(code)}`))
    })
  }
}

/** The environment without the settings of another agent on this machine. */
function agentEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(HOOP_|RUNBOOK_AGENT_|TOKEN$|CREDENTIALS_DIRECTORY$)/
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name))
  return { LOG_LEVEL: 'warn', ...Object.fromEntries(own) }
}
