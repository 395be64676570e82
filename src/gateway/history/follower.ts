import { HistoryError } from '../store/errors.ts'
import type { SessionEvent } from './session.ts'
import { Wakeup } from '../../basics/wakeup.ts'

/**
 * Place of an event in its session. Places increase and have gaps. To continue reading, ask for the events
 * after a place.
 */
export type EventPlace = number

export interface PlacedEvent extends SessionEvent {
  readonly place: EventPlace
}

export interface Progression {
  /** True if the file has all events of the session. Then no further events follow. */
  readonly isOver: boolean
  /** Bytes of output that the record will never have. */
  readonly missingBytes: number
}

interface Sources {
  /** @throws HistoryError */
  readonly read: (after: EventPlace) => readonly PlacedEvent[]
  /** Returns undefined if the session was removed. @throws HistoryError */
  readonly progression: () => Progression | undefined
}

/**
 * Reads a session's record as fast as the caller asks. Keeps no events in memory, only a place in the file.
 * The caller has to dispose the follower.
 */
export class SessionFollower implements Disposable {
  readonly #id: string
  readonly #sources: Sources
  readonly #membership: Disposable
  #place: EventPlace
  #hasChanged = false
  readonly #wakeup = new Wakeup()

  constructor(id: string, place: EventPlace, followers: Followers, sources: Sources) {
    this.#id = id
    this.#place = place
    this.#sources = sources
    this.#membership = followers.add(id, () => {
      this.#hasChanged = true
      this.#wakeup.wake()
    })
  }

  /** Place of the last event that was read. */
  get place(): EventPlace {
    return this.#place
  }

  /**
   * Returns at most 256 KiB of new events. Returns an empty list if there is nothing new.
   * @throws HistoryError
   */
  read(): readonly PlacedEvent[] {
    const events = this.#sources.read(this.#place)
    this.#place = events.at(-1)?.place ?? this.#place
    return events
  }

  /**
   * Call this directly after `read` has returned an empty list.
   * @throws HistoryError, also when the session was removed
   */
  progression(): Progression {
    const found = this.#sources.progression()
    if (found !== undefined) return found
    throw new HistoryError(`session ${this.#id} was removed from the history while it was followed`)
  }

  /** @returns false when the time is over or the signal aborts */
  async changed(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#hasChanged) await this.#wakeup.wokenWithin(ms, signal)
    const hasChanged = this.#hasChanged
    this.#hasChanged = false
    return hasChanged
  }

  [Symbol.dispose](): void {
    this.#membership[Symbol.dispose]()
  }
}

/**
 * Time in ms after which new output of a followed session is written. Output of other sessions is written
 * after ten times this time.
 */
const SOON_MS = 100

/** Wakes followers when there may be new output. The followers read the output from the file. */
export class Followers {
  readonly #flush: (id: string) => void
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #due = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** @param flush writes the output of a session that is not written yet */
  constructor(flush: (id: string) => void) {
    this.#flush = flush
  }

  /** @param wake must not throw */
  add(id: string, wake: () => void): Disposable {
    const those = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, those.add(wake))
    return { [Symbol.dispose]: () => this.#remove(id, wake) }
  }

  /** Call this when the record or the count of its missing bytes has changed. */
  wake(id: string): void {
    for (const wake of this.#waiting.get(id) ?? []) wake()
  }

  /** Flushes a followed session soon. Call this when there is new output to write. */
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
