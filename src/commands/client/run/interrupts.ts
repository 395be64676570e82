import { endBySignal } from '../leaving.ts'

export type Leave = 'SIGINT' | 'SIGTERM' | 'SIGHUP'
const SIGNALS: readonly Leave[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Signals that a person, or the system, sends to a waiting program. Each is handed out once. */
export class Interrupts implements Disposable {
  readonly #received: Leave[] = []
  #wake: (() => void) | undefined
  readonly #listener = (signal: Leave) => {
    this.#received.push(signal)
    // After the third signal something must hang.
    if (this.#received.length > 2) endBySignal(signal)
    this.#wake?.()
  }

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#listener)
  }

  /** The next signal that nobody has taken yet. Only one caller may wait at a time. */
  async next(seen: number): Promise<Leave> {
    for (;;) {
      const signal = this.#received[seen]
      if (signal !== undefined) return signal
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#listener)
  }
}
