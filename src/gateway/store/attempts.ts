import type { Logger } from '../../basics/logger.ts'
import { HistoryError } from './errors.ts'

/** Work on the history that is done again later when it fails. Tells a failure once, until something works again. */
export class HistoryAttempts {
  readonly #log: Logger
  readonly #message: string
  #isTold = false

  /** @param message what the log says of a failure */
  constructor(log: Logger, message: string) {
    this.#log = log
    this.#message = message
  }

  /** @returns undefined when the history has failed */
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
