/** Executions that may run at once. There is no queue: it would only hide the wait behind the gateway's 50 seconds. */
export class Slots {
  readonly limit: number
  #taken = 0

  constructor(limit: number) {
    this.limit = limit
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
