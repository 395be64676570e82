import type { Epoch } from '../../wire/epochs.ts'
import type { History } from '../history/history.ts'
import { hasNoRoom } from '../store/errors.ts'

/**
 * The epoch of this gateway. An agent that has met an epoch which this state lacks has served a newer gateway
 * on another copy of the state: what that gateway has run, this one does not know.
 */
export class StateEpoch {
  readonly #history: Pick<History, 'read' | 'write'>
  #current: Epoch | undefined

  constructor(history: Pick<History, 'read' | 'write'>) {
    this.#history = history
  }

  /**
   * Begins the epoch at the first call: the starts of a gateway that no agent has met do not matter. The epoch
   * survives a power failure, because agents refuse a state that lacks it.
   * @returns undefined if the disk accepts no writes at the moment
   * @throws HistoryError
   */
  get current(): Epoch | undefined {
    if (this.#current !== undefined) return this.#current
    try {
      return (this.#current = this.#history.write(({ epochs }) => epochs.begin()))
    } catch (error) {
      if (hasNoRoom(error)) return undefined
      throw error
    }
  }

  /** @param met the epochs that the agent has met, of any states @throws HistoryError */
  isSuperseded(met: readonly Epoch[]): boolean {
    if (met.length === 0) return false
    return this.#history.read(({ epochs }) => {
      const own = epochs.newest
      const known = met.find(({ state }) => state === own?.state)
      if (own === undefined || known === undefined) return false
      if (own.takenOverAt !== known.takenOverAt) return own.takenOverAt < known.takenOverAt
      return !epochs.has(known.id)
    })
  }
}
