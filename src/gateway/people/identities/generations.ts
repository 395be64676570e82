import type { History } from '../../history/history.ts'
import { HistoryError } from '../../store/errors.ts'

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
  #written: ReadonlyMap<string, number> | undefined

  constructor(history: History) {
    this.#history = history
  }

  /** Call this method with the names of each settings. A failed write is repeated later. */
  note(names: Iterable<string>): void {
    const now = new Set(names)
    for (const name of this.#names) if (!now.has(name)) this.#missed.add(name)
    this.#names = now
    this.#written = undefined
    this.#write()
  }

  /** Returns undefined while the history cannot be written. */
  of(name: string): number | undefined {
    if (this.#written === undefined) this.#write()
    return this.#written?.get(name)
  }

  #write(): void {
    try {
      this.#written = this.#history.write(({ users }) =>
        users.noteDeclared([...this.#names], [...this.#missed]),
      )
      this.#missed.clear()
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
    }
  }
}
