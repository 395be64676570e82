type Closer = () => void | Promise<void>

/** What is open, so that it can be closed in reverse order: whoever uses something is closed before it. */
export class Opened {
  readonly #closers: Closer[] = []

  /** Closes these one after the other: the last one is closed first. */
  add(...closers: readonly Closer[]): void {
    this.#closers.push(...closers)
  }

  /** @returns what it was given */
  own<T extends { close(): void | Promise<void> }>(one: T): T {
    this.add(() => one.close())
    return one
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close()
  }
}
