/** How many commands run at once. No queue: a wait would use up the 50 s that the gateway waits. */
export class Slots {
  readonly limit: number
  readonly #what: string
  #taken = 0

  /** @param what names the slots in the message for whoever gets none */
  constructor(limit: number, what = 'executions (limits.sessions)') {
    this.limit = limit
    this.#what = what
  }

  /** The message for whoever gets none. */
  get full(): string {
    return `this agent already runs ${this.#taken} of at most ${this.limit} ${this.#what}: try again later`
  }

  get taken(): number {
    return this.#taken
  }

  /** @returns the slot, to be disposed; undefined when all are taken */
  take(): Disposable | undefined {
    if (this.#taken >= this.limit) return undefined
    this.#taken += 1
    return { [Symbol.dispose]: () => void (this.#taken -= 1) }
  }
}
