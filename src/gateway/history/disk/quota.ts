import type { HistoryDatabase } from '../database.ts'
import type { Victims } from './removal.ts'

/** How much of the whole history the sessions of one user may take. */
const SHARE_OF_ONE_USER = 1 / 4
/** How much of either limit running sessions may fill. The rest is kept for new ones. */
const RUNNING = 4 / 5
/** Steps of one write while the history shrinks to a lowered limit. They block the gateway. */
const STEPS_AT_ONCE = 4

/** Why there is no room, as the user is told. */
const FULL = {
  user: 'your sessions that still run take up your share of the session history, a quarter of history.size',
  all: 'sessions that still run take up the whole session history (history.size)',
} as const

/**
 * Keeps the history within its size, and each user within a share of it. Each write makes room for itself by removing
 * the oldest finished sessions, or those of the user whose share is used up. Running sessions are never removed.
 */
export class Quota {
  readonly #database: () => HistoryDatabase
  readonly #bytes: number
  #recorded = new Map<string, number>()

  /** @param bytes `history.size`; without it the disk is the limit */
  constructor(database: () => HistoryDatabase, bytes: number | undefined) {
    this.#database = database
    this.#bytes = bytes ?? Infinity
  }

  /** Counts anew, in the file that is open by now. */
  recount(): void {
    this.#recorded = this.#database().recordedBy()
  }

  count(user: string, bytes: number): void {
    this.#recorded.set(user, this.#recordedBy(user) + bytes)
  }

  /** Removes some of the sessions that ended before this time. */
  removeOlder(endedBefore: number): { sessions: number; isDone: boolean } {
    return this.#remove({ endedBefore })
  }

  /** Removes some of what is too much. When a lowered limit is met by no write, only this shrinks the history. */
  removeExcess(): { sessions: number; isDone: boolean } {
    if (this.#usedBytes() <= this.#bytes) return { sessions: 0, isDone: true }
    return this.#remove('all')
  }

  /** Makes room for a session that begins. @returns why there is none, or undefined */
  roomToBegin(user: string, bytes: number): string | undefined {
    return this.#room(user, bytes, 1)
  }

  /** Makes room for output of a running session. @returns why there is none, or undefined */
  roomToRecord(user: string, bytes: number): string | undefined {
    return this.#room(user, bytes, RUNNING)
  }

  #room(user: string, bytes: number, part: number): string | undefined {
    if (this.#bytes === Infinity) return undefined
    const share = { used: () => this.#recordedBy(user), limit: this.#bytes * SHARE_OF_ONE_USER }
    if (!this.#fits({ ...share, victims: { user } }, bytes, part)) return FULL.user
    const all = { used: () => this.#usedBytes(), limit: this.#bytes }
    return this.#fits({ ...all, victims: 'all' }, bytes, part) ? undefined : FULL.all
  }

  #fits({ used, limit, victims }: Limit, bytes: number, part: number): boolean {
    for (let steps = 0; steps < STEPS_AT_ONCE; steps++) {
      if (used() + bytes <= limit * part) return true
      if (used() + bytes <= limit && this.#database().hasFinished(victims)) return true
      if (this.#remove(victims).isDone) return used() + bytes <= limit * part
    }
    return true
  }

  #remove(victims: Victims): { sessions: number; isDone: boolean } {
    const { removed, isDone } = this.#database().remove(victims)
    for (const { user, bytes } of removed) this.count(user, -bytes)
    return { sessions: removed.length, isDone }
  }

  #recordedBy(user: string): number {
    return this.#recorded.get(user) ?? 0
  }

  #usedBytes(): number {
    return this.#database().usedBytes()
  }
}

interface Limit {
  readonly used: () => number
  readonly limit: number
  readonly victims: Victims
}
