const HOUR_MS = 60 * 60 * 1000
/** Largest step ahead that is believed immediately: a gateway that was off overnight is normal. */
const LARGEST_GAP_MS = 24 * HOUR_MS
/**
 * A clock that is further ahead is believed after the gateway has run with it for this long, in one run or
 * several.
 */
const PROOF_MS = 24 * HOUR_MS

/** The history's belief about the time, in ms. It is stored, and outlives the gateway. */
export interface Belief {
  /** The time is at least this. Sessions that ended `history.retain` before it may be removed. */
  readonly trustedAt: number
  /** How long the gateway has run with a wall clock that is too far ahead of `trustedAt`. */
  readonly provenMs: number
}

/**
 * Returns the next belief after `elapsedMs` on a monotonic clock. A wall clock that jumps ahead is not
 * followed immediately: if it was set wrong, everything recorded would suddenly be too old.
 */
export function believe({ trustedAt, provenMs }: Belief, wallClock: number, elapsedMs: number): Belief {
  const expected = trustedAt + elapsedMs
  if (wallClock - expected <= LARGEST_GAP_MS) return { trustedAt: Math.max(expected, wallClock), provenMs: 0 }
  const proven = provenMs + elapsedMs
  if (proven >= PROOF_MS) return { trustedAt: wallClock, provenMs: 0 }
  return { trustedAt: expected, provenMs: proven }
}

/** Returns the warning while the wall clock is not believed; undefined otherwise. */
export function doubt({ trustedAt, provenMs }: Belief, wallClock: number): string | undefined {
  const ahead = wallClock - trustedAt
  if (ahead <= LARGEST_GAP_MS) return undefined
  const left = Math.ceil((PROOF_MS - provenMs) / HOUR_MS)
  return `the clock is ${Math.round(ahead / HOUR_MS)} hours ahead of what the session history has seen: no session is removed for its age until the gateway has run for ${left} more hours with this clock`
}

/** Smaller steps back are not reported: the correction of a clock after a machine's start makes them. */
const QUIET_MS = 5 * 60 * 1000

/**
 * The latest time that was seen. Expired tokens stay expired by it when the wall clock is set back. It
 * advances by a monotonic clock.
 */
export class LatestTime {
  #at = 0
  #since = performance.now()

  /** Latest time in ms since 1970. */
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

  /** Warning while the wall clock shows an earlier time than the latest one seen. */
  get lag(): string | undefined {
    const behind = this.now - Date.now()
    if (behind <= QUIET_MS) return undefined
    const lag =
      behind < 2 * HOUR_MS
        ? `${Math.round(behind / 60_000)} minutes`
        : `${Math.round(behind / HOUR_MS)} hours`
    return `the clock is ${lag} behind the latest time that this gateway has seen, by which tokens expire; if that time was wrong, stop the gateway and run: runbook-agent history reset-clock`
  }
}
