import { onAbort } from './abort.ts'

/**
 * Wakes the one reader of a loop that checks its condition and then waits. Check and wait are in one turn of
 * the event loop, so no wake-up can be missed. A wake-up while nobody waits is not kept: it would end the next
 * wait, and the reader would believe that its time is over.
 */
export class Wakeup {
  #resolve: (() => void) | undefined

  wake(): void {
    this.#resolve?.()
    this.#resolve = undefined
  }

  /**
   * Settles at the next `wake`.
   * @throws Error if another reader waits, which would never be woken
   */
  woken(): Promise<void> {
    if (this.#resolve !== undefined) throw new Error('two readers wait for one wake-up')
    return new Promise((resolve) => (this.#resolve = resolve))
  }

  /** Settles at the next `wake`, after `ms`, or when the signal aborts. */
  async wokenWithin(ms: number, signal: AbortSignal): Promise<void> {
    const woken = this.woken()
    const late = setTimeout(() => this.wake(), ms)
    using _ = onAbort(signal, () => this.wake())
    try {
      await woken
    } finally {
      clearTimeout(late)
    }
  }
}
