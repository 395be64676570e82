/** How long new output of a session that somebody follows stays only in memory. Others wait for ten times as long. */
const SOON_MS = 100

/** Who waits for what sessions write. They are told that there may be more, and read it from the file. */
export class Followers {
  readonly #flush: (id: string) => void
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #due = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** @param flush writes what is pending of a session */
  constructor(flush: (id: string) => void) {
    this.#flush = flush
  }

  /** @param wake called when there may be something new; it must not throw */
  add(id: string, wake: () => void): Disposable {
    const those = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, those.add(wake))
    return { [Symbol.dispose]: () => this.#remove(id, wake) }
  }

  /** Call it when the session's file, or what is missing there, has changed. */
  wake(id: string): void {
    for (const wake of this.#waiting.get(id) ?? []) wake()
  }

  /** Call it when something of the session is to be written: it is, soon, if anybody follows. */
  expect(id: string): void {
    if (!this.#waiting.has(id)) return
    this.#due.add(id)
    this.#timer ??= setTimeout(() => this.#flushDue(), SOON_MS).unref()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#due.clear()
  }

  #flushDue(): void {
    const due = [...this.#due]
    this.close()
    for (const id of due) this.#flush(id)
  }

  #remove(id: string, wake: () => void): void {
    const those = this.#waiting.get(id)
    those?.delete(wake)
    if (those?.size === 0) this.#waiting.delete(id)
  }
}
