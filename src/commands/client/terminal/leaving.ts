import { exitCodeOfSignal } from '../../exit-codes.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
export type LeavingSignal = (typeof SIGNALS)[number]

/**
 * After this time the end is overdue: a write to a reader that no longer reads would keep Node from exiting.
 */
const PATIENCE_MS = 1000

interface SessionExit {
  /** Ends the session. After that, the code that waits for the session returns `exitCode`. */
  readonly end: () => void
  /**
   * Called when the end takes too long, or when a second signal has arrived. It may be called more than once.
   */
  readonly overdue: (signal: LeavingSignal) => void
  /** Returns whether another program handles the signal. */
  readonly isTaken?: (signal: LeavingSignal) => boolean
}

/** Ends the session when a signal arrives or the user leaves. */
export class Leaving implements Disposable {
  readonly #exit: SessionExit
  #exitCode: number | undefined
  #patience: NodeJS.Timeout | undefined
  readonly #bySignal = (signal: LeavingSignal) => {
    if (this.#exit.isTaken?.(signal) !== true) this.leave(exitCodeOfSignal(signal), signal)
  }

  constructor(exit: SessionExit) {
    this.#exit = exit
    for (const signal of SIGNALS) process.on(signal, this.#bySignal)
  }

  get exitCode(): number | undefined {
    return this.#exitCode
  }

  /** Ends the session. Only the exit code of the first call counts. */
  leave(exitCode: number, signal: LeavingSignal = 'SIGTERM'): void {
    if (this.#exitCode !== undefined) return this.#exit.overdue(signal)
    this.#exitCode = exitCode
    this.#patience = setTimeout(() => this.#exit.overdue(signal), PATIENCE_MS)
    this.#exit.end()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#patience)
    for (const signal of SIGNALS) process.off(signal, this.#bySignal)
  }
}

/** Ends this process by the signal, because Node's own exit would wait for a write that never ends. */
export function endBySignal(signal: LeavingSignal): void {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}

export type Leave = 'SIGINT' | 'SIGTERM' | 'SIGHUP'
const INTERRUPTS: readonly Leave[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

export class Interrupts implements Disposable {
  readonly #received: Leave[] = []
  #wake: (() => void) | undefined
  readonly #listener = (signal: Leave) => {
    this.#received.push(signal)
    // A third signal means that something hangs.
    if (this.#received.length > 2) endBySignal(signal)
    this.#wake?.()
  }

  constructor() {
    for (const signal of INTERRUPTS) process.on(signal, this.#listener)
  }

  /** Returns the signal that arrives after the first `seen` signals. A later call takes the place of one that waits. */
  async next(seen: number): Promise<Leave> {
    for (;;) {
      const signal = this.#received[seen]
      if (signal !== undefined) return signal
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  [Symbol.dispose](): void {
    for (const signal of INTERRUPTS) process.off(signal, this.#listener)
  }
}
