import { hasNoRoom } from '../store/errors.ts'

const HOUR_MS = 60 * 60 * 1000
/**
 * If the wall clock steps forward by more than this, the gateway does not believe the new time at once.
 * Smaller steps are normal: a gateway may have been off overnight.
 */
const MAX_GAP_MS = 24 * HOUR_MS
/**
 * The gateway believes a larger step after it has run for this long with the new time, in one life or in
 * several.
 */
const PROOF_MS = 24 * HOUR_MS

/** The time that the gateway believes, for the removal of old sessions. It is stored, and survives a restart. */
export interface Belief {
  /**
   * Lower bound of the current time, in ms since 1970. Sessions may be removed if they ended more than
   * `history.retain` before this time.
   */
  readonly trustedAt: number
  /** How long the gateway has run with a wall clock that is too far ahead of `trustedAt`. */
  readonly provenMs: number
}

/**
 * Returns the belief after `elapsedMs` on a monotonic clock. A wall clock that jumps ahead may be wrong. If
 * the gateway believed such a clock at once, all sessions would count as too old.
 */
export function believe({ trustedAt, provenMs }: Belief, wallClock: number, elapsedMs: number): Belief {
  const expected = trustedAt + elapsedMs
  if (wallClock - expected <= MAX_GAP_MS) return { trustedAt: Math.max(expected, wallClock), provenMs: 0 }
  const proven = provenMs + elapsedMs
  if (proven >= PROOF_MS) return { trustedAt: wallClock, provenMs: 0 }
  return { trustedAt: expected, provenMs: proven }
}

/** Returns a warning if the gateway does not believe the wall clock yet. */
export function doubt({ trustedAt, provenMs }: Belief, wallClock: number): string | undefined {
  const ahead = wallClock - trustedAt
  if (ahead <= MAX_GAP_MS) return undefined
  const left = Math.ceil((PROOF_MS - provenMs) / HOUR_MS)
  return `the clock is ${Math.round(ahead / HOUR_MS)} hours ahead of the latest time in the session history; old sessions are kept until the gateway has run for ${left} more hours with this clock`
}

/** Smaller steps back cause no warning, because machines often correct their clock after the start. */
const QUIET_MS = 5 * 60 * 1000

/**
 * The latest time that this gateway has seen. A monotonic clock advances this time. So a wall clock that is
 * set back makes no expired token valid again.
 */
class LatestTime {
  #at = 0
  #since = performance.now()

  /** Time in ms since 1970. */
  get now(): number {
    const now = performance.now()
    this.#at = Math.max(this.#at + (now - this.#since), Date.now())
    this.#since = now
    return this.#at
  }

  /** @param seenAt latest time that an earlier gateway with the same state has seen */
  carryOn(seenAt: number): void {
    this.#at = Math.max(this.now, seenAt)
  }

  /** A warning if the wall clock is behind the latest time; otherwise undefined. */
  get lag(): string | undefined {
    const behind = this.now - Date.now()
    if (behind <= QUIET_MS) return undefined
    const duration =
      behind < 2 * HOUR_MS
        ? `${Math.round(behind / 60_000)} minutes`
        : `${Math.round(behind / HOUR_MS)} hours`
    return `the clock is ${duration} behind the latest time that this gateway has seen, and tokens expire by that time; if that time is wrong, stop the gateway and run: runbook-agent history reset-clock`
  }
}

interface StoredTimes {
  readonly clock: () => (Belief & { readonly latestAt: number }) | undefined
  readonly setBelief: (belief: Belief, latestAt: number) => void
}

/**
 * Keeps a lower and an upper bound of the current time. Thus a wrong wall clock neither removes sessions nor
 * makes expired tokens valid again.
 */
export class HistoryClock {
  readonly #store: () => StoredTimes
  readonly #latest = new LatestTime()
  #belief: Belief | undefined
  #believedSince = 0

  constructor(store: () => StoredTimes) {
    this.#store = store
  }

  /**
   * Lower bound of the current time in ms since 1970. If the wall clock jumps ahead, this bound does not
   * follow at once.
   */
  get trusted(): number {
    if (this.#belief === undefined) return 0
    return Math.min(this.#belief.trustedAt + (performance.now() - this.#believedSince), Date.now())
  }

  /**
   * Upper bound of the current time in ms since 1970. If the wall clock is set back, expired tokens stay
   * expired.
   */
  get latest(): number {
    return this.#latest.now
  }

  /** The warning of `LatestTime`. */
  get lag(): string | undefined {
    return this.#latest.lag
  }

  /** Stores the latest time for the next gateway that uses this state. @throws HistoryError */
  keep(): void {
    if (this.#belief !== undefined) this.#store().setBelief(this.#belief, this.#latest.now)
  }

  /**
   * Moves the believed time on by `elapsedMs` of a monotonic clock, and stores it.
   * @returns trustedAt: time in ms since 1970, never after the wall clock; doubt: a warning if the gateway does
   * not believe the wall clock yet
   */
  believe(wallClock: number, elapsedMs: number): { trustedAt: number; doubt: string | undefined } {
    const before = this.#belief ?? this.#storedBelief() ?? { trustedAt: wallClock, provenMs: 0 }
    const belief = believe(before, wallClock, elapsedMs)
    this.#belief = belief
    this.#believedSince = performance.now()
    try {
      this.keep()
    } catch (error) {
      // On a full disk, the belief cannot be stored. The next call stores it. Until then, old sessions can be
      // removed and free some space.
      if (!hasNoRoom(error)) throw error
    }
    return { trustedAt: Math.min(belief.trustedAt, wallClock), doubt: doubt(belief, wallClock) }
  }

  #storedBelief(): Belief | undefined {
    const stored = this.#store().clock()
    if (stored !== undefined) this.#latest.carryOn(stored.latestAt)
    return stored
  }
}
