type Closer = () => void | Promise<void>

/** Closes resources in reverse order: a user of a resource is closed before the resource. */
export class Opened {
  readonly #closers: Closer[] = []

  /** The last function is called first. */
  add(...closers: readonly Closer[]): void {
    this.#closers.push(...closers)
  }

  /** Returns `one`, whose `close` is called later. */
  own<T extends { close(): void | Promise<void> }>(one: T): T {
    this.add(() => one.close())
    return one
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close()
  }
}
