interface SlotsOptions {
  /** Names the slots in the message for a session that gets none. */
  readonly what?: string
  /** Is told how many are taken, each time one is taken or given back. */
  readonly changed?: (taken: number) => void
}

const ignore = (): void => undefined

/** How many commands run at once. No queue: a wait would use up the 50 s that the gateway waits. */
export class Slots {
  readonly limit: number
  readonly #what: string
  readonly #changed: (taken: number) => void
  #taken = 0

  constructor(limit: number, { what = 'executions (limits.sessions)', changed = ignore }: SlotsOptions = {}) {
    this.limit = limit
    this.#what = what
    this.#changed = changed
  }

  /** The message for a session that gets none. */
  get full(): string {
    return `this agent already runs ${this.#taken} of at most ${this.limit} ${this.#what}: try again later`
  }

  get taken(): number {
    return this.#taken
  }

  /** @returns the slot, to be disposed; undefined when all are taken */
  take(): Disposable | undefined {
    if (this.#taken >= this.limit) return undefined
    this.#count(1)
    return { [Symbol.dispose]: () => this.#count(-1) }
  }

  #count(more: number): void {
    this.#taken += more
    this.#changed(this.#taken)
  }
}
