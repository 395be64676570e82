import type { History } from '../../history/history.ts'
import { HistoryError } from '../../store/errors.ts'

/** Time in ms between two attempts to write. An attempt blocks the gateway while another program has a lock. */
const RETRY_MS = 1000

/**
 * Tells users of gateway.yaml apart who had the same name one after the other. A name that was missing in the
 * settings of a start or a reload gets a new generation when it appears again.
 */
export class Generations {
  readonly #history: History
  /** Names in the current settings. */
  #names = new Set<string>()
  /** Names that were missing in the settings after the last write. */
  readonly #missed = new Set<string>()
  /** Generations as the file has them. */
  #known: ReadonlyMap<string, number> = new Map()
  #isWritten = false
  #retryAt = 0

  constructor(history: History) {
    this.#history = history
  }

  /** Call this method with the names of each settings. A failed write is repeated later. */
  note(names: Iterable<string>): void {
    const now = new Set(names)
    for (const name of this.#names) if (!now.has(name)) this.#missed.add(name)
    this.#names = now
    this.#isWritten = false
    this.#write()
  }

  /**
   * Returns undefined for a name that was missing before, while the history cannot be written. A failed write
   * does not change who the other users are: their approvals still count.
   */
  of(name: string): number | undefined {
    if (!this.#isWritten && performance.now() >= this.#retryAt) this.#write()
    return this.#known.get(name)
  }

  #write(): void {
    try {
      this.#known = this.#history.write(({ users }) =>
        users.noteDeclared([...this.#names], [...this.#missed]),
      )
      this.#isWritten = true
      this.#missed.clear()
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      this.#retryAt = performance.now() + RETRY_MS
      this.#known = this.#unchanged()
    }
  }

  /** Generations of the users who were never missing. Also a file that cannot be written can be read. */
  #unchanged(): ReadonlyMap<string, number> {
    try {
      const stored = this.#history.read(({ users }) => users.declared())
      return new Map([...stored].filter(([name]) => this.#names.has(name) && !this.#missed.has(name)))
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      return new Map()
    }
  }
}
