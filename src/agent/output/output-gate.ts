/**
 * Where a session's output waits while its client does not read (`AgentSessionPause`). Meanwhile the stream stays
 * free for other sessions. When the session ends, the gate opens for good, so nothing waits for ever.
 */
export class OutputGate {
  #state: 'open' | 'paused' | 'open for good' = 'open'
  #wake: () => void = () => undefined
  #resumed: Promise<void> | undefined

  pause(): void {
    if (this.#state !== 'open') return
    this.#state = 'paused'
    this.#resumed = new Promise((resolve) => (this.#wake = resolve))
  }

  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'open'
    this.#wake()
  }

  openForGood(): void {
    this.#state = 'open for good'
    this.#wake()
  }

  get isClosed(): boolean {
    return this.#state === 'paused'
  }

  async passed(): Promise<void> {
    while (this.isClosed) await this.#resumed
  }
}
