import { onAbort } from '../../basics/abort.ts'
import { HistoryError } from '../store/errors.ts'
import type { SessionEvent } from './session.ts'

/** Place of a recorded event. The next read starts after it. Places grow within a session, with gaps. */
export type EventPlace = number

export interface PlacedEvent extends SessionEvent {
  readonly place: EventPlace
}

/** Progress of a session. */
export interface Progression {
  /** Whether the file has all events, so that no more will come. */
  readonly isOver: boolean
  /** Output bytes that are missing from the record for good. */
  readonly missingBytes: number
}

interface Sources {
  /** Returns the next few events after a place. @throws HistoryError */
  readonly read: (after: EventPlace) => readonly PlacedEvent[]
  /** Returns the progress; undefined when the session was removed. @throws HistoryError */
  readonly progression: () => Progression | undefined
}

/**
 * Reads a growing session at the caller's pace, because the follower keeps only a place in the file. Dispose
 * it.
 */
export class SessionFollower implements Disposable {
  readonly #id: string
  readonly #sources: Sources
  readonly #membership: Disposable
  #place: EventPlace
  #hasChanged = false
  #wake: (() => void) | undefined

  constructor(id: string, place: EventPlace, followers: Followers, sources: Sources) {
    this.#id = id
    this.#place = place
    this.#sources = sources
    this.#membership = followers.add(id, () => {
      this.#hasChanged = true
      this.#wake?.()
    })
  }

  /** Place of the last event that was read. */
  get place(): EventPlace {
    return this.#place
  }

  /** Returns the next few events, at most 256 KiB; none when there are no more yet. @throws HistoryError */
  read(): readonly PlacedEvent[] {
    const events = this.#sources.read(this.#place)
    this.#place = events.at(-1)?.place ?? this.#place
    return events
  }

  /**
   * Returns the progress. Call it when `read` has returned nothing, before any other call.
   * @throws HistoryError, also when the session was removed
   */
  progression(): Progression {
    const found = this.#sources.progression()
    if (found !== undefined) return found
    throw new HistoryError(`session ${this.#id} was removed from the history while it was followed`)
  }

  /** Waits until there may be more to read. @returns false after the time, or when the signal aborts */
  async changed(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#hasChanged) await this.#woken(ms, signal)
    const hasChanged = this.#hasChanged
    this.#hasChanged = false
    return hasChanged
  }

  [Symbol.dispose](): void {
    this.#membership[Symbol.dispose]()
  }

  async #woken(ms: number, signal: AbortSignal): Promise<void> {
    let wake: () => void = () => undefined
    const woken = new Promise<void>((resolve) => (wake = resolve))
    using _ = onAbort(signal, wake)
    const late = setTimeout(wake, ms)
    this.#wake = wake
    try {
      await woken
    } finally {
      clearTimeout(late)
      this.#wake = undefined
    }
  }
}

/**
 * How long new output of a followed session stays only in memory. Other sessions' output stays ten times as
 * long.
 */
const SOON_MS = 100

/** Followers of sessions. They are told that there may be more output, and read it from the file. */
export class Followers {
  readonly #flush: (id: string) => void
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #due = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** @param flush writes the pending part of a session */
  constructor(flush: (id: string) => void) {
    this.#flush = flush
  }

  /** @param wake called when there may be new output; it must not throw */
  add(id: string, wake: () => void): Disposable {
    const those = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, those.add(wake))
    return { [Symbol.dispose]: () => this.#remove(id, wake) }
  }

  /** Wakes the session's followers. Call it when the file, or what is missing in it, has changed. */
  wake(id: string): void {
    for (const wake of this.#waiting.get(id) ?? []) wake()
  }

  /** Flushes the session soon if it is followed. Call it when there is new output to write. */
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
