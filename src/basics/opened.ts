type Closer = () => void | Promise<void>

/** Closes resources in reverse order: a user of a resource is closed before the resource. */
export class Opened {
  readonly #closers: Closer[] = []

  /** Adds functions that `close` calls. The function that was added last is called first. */
  add(...closers: readonly Closer[]): void {
    this.#closers.push(...closers)
  }

  /** Returns `one`, which `close` of this object also closes. */
  own<T extends { close(): void | Promise<void> }>(one: T): T {
    this.add(() => one.close())
    return one
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close()
  }
}
