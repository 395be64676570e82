import type { Logger } from '../../../basics/logger.ts'
import type { History } from '../../history/history.ts'
import { HistoryError } from '../../store/errors.ts'

/** How exactly they are known, and how often they are written. */
const MINUTE_MS = 60_000

/** When each token was used last. A sign-in never waits for the disk; what cannot be written is written later. */
export class LastUses {
  readonly #history: History
  readonly #log: Logger
  readonly #usedAt = new Map<string, number>()
  readonly #unwritten = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  #isTold = false

  constructor(history: History, log: Logger) {
    this.#history = history
    this.#log = log
    this.#timer = setInterval(() => this.#write(), MINUTE_MS).unref()
    this.#trying(() => {
      for (const [id, usedAt] of history.read(({ tokens }) => tokens.uses())) this.#usedAt.set(id, usedAt)
    })
  }

  /** @param id of the token */
  note(id: string): void {
    const now = Date.now()
    const last = this.#usedAt.get(id)
    // A clock that was set back, too.
    if (last !== undefined && Math.abs(now - last) < MINUTE_MS) return
    this.#usedAt.set(id, now)
    this.#unwritten.set(id, now)
  }

  /** In ms since 1970. */
  of(id: string): number | undefined {
    return this.#usedAt.get(id)
  }

  forget(id: string): void {
    this.#usedAt.delete(id)
    this.#unwritten.delete(id)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#write()
  }

  #write(): void {
    if (this.#unwritten.size === 0) return
    const isWritten = this.#trying(() =>
      this.#history.write(({ tokens }) => {
        for (const [id, usedAt] of this.#unwritten) tokens.noteUse(id, usedAt)
      }, 'lightly'),
    )
    if (isWritten) this.#unwritten.clear()
  }

  /** Tells once of a disk that fails. */
  #trying(work: () => void): boolean {
    try {
      work()
      this.#isTold = false
      return true
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      if (!this.#isTold) this.#log.warn({ error: error.message }, 'the last use of tokens is not written yet')
      this.#isTold = true
      return false
    }
  }
}
