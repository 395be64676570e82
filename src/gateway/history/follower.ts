import { onAbort } from '../../basics/abort.ts'
import { HistoryError } from '../store/errors.ts'
import type { SessionEvent } from './session.ts'

/** Where a recorded event stands: behind it the next one is looked for. Grows within a session, with gaps. */
export type EventPlace = number

export interface PlacedEvent extends SessionEvent {
  readonly place: EventPlace
}

/** How far a session has come. */
export interface Progression {
  /** Nothing more will come: the file has all of it. */
  readonly isOver: boolean
  /** Bytes of its output that are not in the record, and never will be. */
  readonly missingBytes: number
}

interface Sources {
  /** The next few events behind a place. @throws HistoryError */
  readonly read: (after: EventPlace) => readonly PlacedEvent[]
  /** Undefined when the session is in the history no more. @throws HistoryError */
  readonly progression: () => Progression | undefined
}

/**
 * Reads a session while it grows, at the pace of whoever asks: all that is kept for him is a place in the file. Dispose
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

  /** Behind the last event that was read. */
  get place(): EventPlace {
    return this.#place
  }

  /** The next few events, of 256 KiB at most; none when there are no more yet. @throws HistoryError */
  read(): readonly PlacedEvent[] {
    const events = this.#sources.read(this.#place)
    this.#place = events.at(-1)?.place ?? this.#place
    return events
  }

  /** Ask when `read` has found nothing, and before anything else happens. @throws HistoryError, also when it was removed */
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

/** How long new output of a session that somebody follows stays only in memory. Others wait for ten times as long. */
const SOON_MS = 100

/** Who waits for what sessions write. They are told that there may be more, and read it from the file. */
export class Followers {
  readonly #flush: (id: string) => void
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #due = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** @param flush writes what is pending of a session */
  constructor(flush: (id: string) => void) {
    this.#flush = flush
  }

  /** @param wake called when there may be something new; it must not throw */
  add(id: string, wake: () => void): Disposable {
    const those = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, those.add(wake))
    return { [Symbol.dispose]: () => this.#remove(id, wake) }
  }

  /** Call it when the session's file, or what is missing there, has changed. */
  wake(id: string): void {
    for (const wake of this.#waiting.get(id) ?? []) wake()
  }

  /** Call it when something of the session is to be written: it is, soon, if anybody follows. */
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
