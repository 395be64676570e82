import { hasNoRoom } from '../store/errors.ts'

const HOUR_MS = 60 * 60 * 1000
/** Longest step forward of the wall clock that is believed at once: a gateway may have been off overnight. */
const LARGEST_GAP_MS = 24 * HOUR_MS
/** A larger step is believed after the gateway has run with it for this long, with or without restarts. */
const PROOF_MS = 24 * HOUR_MS

/** The stored belief about the time. It survives a restart. */
export interface Belief {
  /** Lower bound, in ms since 1970. Sessions that ended `history.retain` before it may be removed. */
  readonly trustedAt: number
  /** How long the gateway has run with a wall clock too far ahead of `trustedAt`. */
  readonly provenMs: number
}

/**
 * The belief after `elapsedMs` on a monotonic clock. A wall clock that jumps ahead may be wrong. If it were
 * believed at once, all sessions would count as too old.
 */
export function believe({ trustedAt, provenMs }: Belief, wallClock: number, elapsedMs: number): Belief {
  const expected = trustedAt + elapsedMs
  if (wallClock - expected <= LARGEST_GAP_MS) return { trustedAt: Math.max(expected, wallClock), provenMs: 0 }
  const proven = provenMs + elapsedMs
  if (proven >= PROOF_MS) return { trustedAt: wallClock, provenMs: 0 }
  return { trustedAt: expected, provenMs: proven }
}

/** A warning while the wall clock is not believed. */
export function doubt({ trustedAt, provenMs }: Belief, wallClock: number): string | undefined {
  const ahead = wallClock - trustedAt
  if (ahead <= LARGEST_GAP_MS) return undefined
  const left = Math.ceil((PROOF_MS - provenMs) / HOUR_MS)
  return `the clock is ${Math.round(ahead / HOUR_MS)} hours ahead of the latest time in the session history; old sessions are kept until the gateway has run for ${left} more hours with this clock`
}

/** Machines often correct their clock after the start, so smaller steps back are not reported. */
const QUIET_MS = 5 * 60 * 1000

/** The latest time seen, advanced by a monotonic clock. Setting the wall clock back revives no token. */
class LatestTime {
  #at = 0
  #since = performance.now()

  /** Time in ms since 1970. */
  get now(): number {
    const since = performance.now()
    this.#at = Math.max(this.#at + (since - this.#since), Date.now())
    this.#since = since
    return this.#at
  }

  /** @param seenAt latest time that an earlier gateway on this state has seen */
  carryOn(seenAt: number): void {
    this.#at = Math.max(this.now, seenAt)
  }

  /** Warning while the wall clock is behind the latest time. */
  get lag(): string | undefined {
    const behind = this.now - Date.now()
    if (behind <= QUIET_MS) return undefined
    const lag =
      behind < 2 * HOUR_MS
        ? `${Math.round(behind / 60_000)} minutes`
        : `${Math.round(behind / HOUR_MS)} hours`
    return `the clock is ${lag} behind the latest time that this gateway has seen, and tokens expire by that time; if that time is wrong, stop the gateway and run: runbook-agent history reset-clock`
  }
}

interface StoredTimes {
  readonly clock: () => (Belief & { readonly latestAt: number }) | undefined
  readonly setBelief: (belief: Belief, latestAt: number) => void
}

/** Bounds of the current time: a wrong wall clock neither removes sessions nor revives tokens. */
export class HistoryClock {
  readonly #stored: () => StoredTimes
  readonly #latest = new LatestTime()
  #belief: Belief | undefined
  #believedAt = 0

  constructor(stored: () => StoredTimes) {
    this.#stored = stored
  }

  /** Lower bound in ms since 1970. A wall clock that jumps ahead is not believed at once. */
  get trusted(): number {
    if (this.#belief === undefined) return 0
    return Math.min(this.#belief.trustedAt + (performance.now() - this.#believedAt), Date.now())
  }

  /** Upper bound in ms since 1970. Expired tokens stay expired if the wall clock is set back. */
  get latest(): number {
    return this.#latest.now
  }

  /** Warning while the wall clock is behind the latest time, by which tokens expire. */
  get lag(): string | undefined {
    return this.#latest.lag
  }

  /** Stores the latest time for the next gateway on this state. @throws HistoryError */
  keep(): void {
    if (this.#belief !== undefined) this.#stored().setBelief(this.#belief, this.#latest.now)
  }

  /** `doubt`: a warning while the wall clock is not believed. */
  believe(wallClock: number, elapsedMs: number): { trustedAt: number; doubt: string | undefined } {
    const before = this.#belief ?? this.#storedBelief() ?? { trustedAt: wallClock, provenMs: 0 }
    const belief = believe(before, wallClock, elapsedMs)
    this.#belief = belief
    this.#believedAt = performance.now()
    try {
      this.keep()
    } catch (error) {
      // The next call writes the belief. Old sessions can be removed meanwhile.
      if (!hasNoRoom(error)) throw error
    }
    return { trustedAt: Math.min(belief.trustedAt, wallClock), doubt: doubt(belief, wallClock) }
  }

  #storedBelief(): Belief | undefined {
    const stored = this.#stored().clock()
    if (stored !== undefined) this.#latest.carryOn(stored.latestAt)
    return stored
  }
}
