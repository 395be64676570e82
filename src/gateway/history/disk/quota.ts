import type { HistoryDatabase } from '../database.ts'
import type { Holder, Victims } from './removal.ts'
import { nearestToItsEnd, type Retention } from '../../settings/retention.ts'

/** Part of the history that the sessions of one user may fill. */
const SHARE_OF_ONE_USER = 1 / 4
/** Running sessions may fill this part of a limit. The rest is for new sessions. */
const RUNNING = 4 / 5
/**
 * Maximum number of removal steps per write. Each step blocks the gateway. Many steps are needed only after a
 * limit was lowered.
 */
const STEPS_AT_ONCE = 4

const FULL = {
  user: 'your running sessions fill your share of the session history (a quarter of history.size)',
  connection:
    'running sessions of this connection fill its part of the session history (connections[].history.size)',
  all: 'running sessions fill the whole session history (history.size)',
} as const

export interface Removed {
  readonly sessions: number
  readonly isDone: boolean
}

const NOTHING: Removed = { sessions: 0, isDone: true }

/**
 * Keeps the history, each connection and each user within their limits. If a write would exceed a limit,
 * removes the oldest finished sessions that count for this limit. Never removes running or waiting sessions.
 */
export class Quota {
  readonly #database: () => HistoryDatabase
  readonly #retention: () => Retention
  #recorded = { user: new Map<string, number>(), connection: new Map<string, number>() }

  constructor(database: () => HistoryDatabase, retention: () => Retention) {
    this.#database = database
    this.#retention = retention
  }

  /** Call this after the file was opened. */
  recount(): void {
    const database = this.#database()
    this.#recorded = { user: database.recordedBy('user'), connection: database.recordedBy('connection') }
  }

  count(holder: Holder, bytes: number): void {
    for (const whose of ['user', 'connection'] as const)
      this.#recorded[whose].set(holder[whose], this.#recordedBy(whose, holder) + bytes)
  }

  /**
   * Removes some old sessions.
   * @param before returns a time in ms for each connection. Its sessions that ended before this time are
   * removed.
   */
  removeOlder(before: (connection: string) => number): Removed {
    const rest = this.#remove('begun')
    if (!rest.isDone) return rest
    for (const { connection, oldestEnd } of this.#database().keptConnections()) {
      const endedBefore = before(connection)
      if (oldestEnd >= endedBefore) continue
      const step = goesOn(this.#remove({ connection, endedBefore }))
      if (!step.isDone) return step
    }
    return NOTHING
  }

  /**
   * Removes some of the sessions above the limits. Writes do this as well. After a limit was lowered, this
   * call is needed if nothing is written.
   */
  removeExcess(): Removed {
    for (const [connection, { sizeBytes = Infinity }] of this.#retention().connections) {
      if ((this.#recorded.connection.get(connection) ?? 0) <= sizeBytes) continue
      const step = goesOn(this.#remove({ connection }))
      if (!step.isDone) return step
    }
    return this.#usedBytes() <= this.#retention().sizeBytes ? NOTHING : this.#removeOldest()
  }

  /** Frees space for a new session. @returns why there is no space; undefined if the session fits */
  roomToBegin(holder: Holder, bytes: number): string | undefined {
    return this.#room(holder, bytes, 1)
  }

  /**
   * Frees space for output of a running session. @returns why there is no space; undefined if the output fits
   */
  roomToRecord(holder: Holder, bytes: number): string | undefined {
    return this.#room(holder, bytes, RUNNING)
  }

  #room(holder: Holder, bytes: number, part: number): string | undefined {
    const isFull = (of: keyof typeof FULL) => !this.#fits(this.#limitOf(of, holder), bytes, part)
    const full = (['user', 'connection', 'all'] as const).find(isFull)
    return full && FULL[full]
  }

  #limitOf(of: keyof typeof FULL, holder: Holder): Limit {
    const { sizeBytes, connections } = this.#retention()
    const { user, connection } = holder
    switch (of) {
      case 'user':
        return {
          limit: sizeBytes * SHARE_OF_ONE_USER,
          used: () => this.#recordedBy('user', holder),
          remove: () => this.#remove({ user }),
          hasFinished: () => this.#database().hasFinished({ user }),
        }
      case 'connection':
        return {
          limit: connections.get(connection)?.sizeBytes ?? Infinity,
          used: () => this.#recordedBy('connection', holder),
          remove: () => this.#remove({ connection }),
          hasFinished: () => this.#database().hasFinished({ connection }),
        }
      case 'all':
        return {
          limit: sizeBytes,
          used: () => this.#usedBytes(),
          remove: () => this.#removeOldest(),
          hasFinished: () => this.#database().hasFinished({}),
        }
    }
  }

  #fits({ limit, used, remove, hasFinished }: Limit, bytes: number, part: number): boolean {
    if (limit === Infinity) return true
    for (let steps = 0; steps < STEPS_AT_ONCE; steps++) {
      if (used() + bytes <= limit * part) return true
      if (used() + bytes <= limit && hasFinished()) return true
      if (remove().isDone) return used() + bytes <= limit * part
    }
    return true
  }

  #removeOldest(): Removed {
    const victims = nearestToItsEnd(this.#database().keptConnections(), this.#retention()) ?? 'begun'
    return goesOn(this.#remove(victims))
  }

  #remove(victims: Victims): Removed {
    const { removed, isDone } = this.#database().remove(victims)
    for (const { bytes, ...holder } of removed) this.count(holder, -bytes)
    return { sessions: removed.length, isDone }
  }

  #recordedBy(whose: keyof Holder, holder: Holder): number {
    return this.#recorded[whose].get(holder[whose]) ?? 0
  }

  #usedBytes(): number {
    return this.#database().usedBytes()
  }
}

/**
 * After a step that removed sessions, another step is needed, because other connections may have more
 * sessions to remove.
 */
function goesOn({ sessions, isDone }: Removed): Removed {
  return { sessions, isDone: isDone && sessions === 0 }
}

interface Limit {
  readonly limit: number
  readonly used: () => number
  readonly remove: () => Removed
  readonly hasFinished: () => boolean
}
