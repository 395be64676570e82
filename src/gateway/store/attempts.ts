import type { Logger } from '../../basics/logger.ts'
import { HistoryError } from './errors.ts'

/**
 * Runs work on the history that is retried later if it fails. Logs only the first failure, until work
 * succeeds again.
 */
export class HistoryAttempts {
  readonly #log: Logger
  readonly #message: string
  #isTold = false

  /** @param message text of the log for a failure */
  constructor(log: Logger, message: string) {
    this.#log = log
    this.#message = message
  }

  try<T>(work: () => T): T | undefined {
    try {
      const result = work()
      this.#isTold = false
      return result
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      if (!this.#isTold) this.#log.error({ error: error.message }, this.#message)
      this.#isTold = true
      return undefined
    }
  }
}
