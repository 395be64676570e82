import type { Logger } from '../../basics/logger.ts'
import { HistoryError } from './errors.ts'

/** Logs only the first failure, until the work succeeds again. The caller retries. */
export class HistoryAttempts {
  readonly #log: Logger
  readonly #message: string
  #isTold = false

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
