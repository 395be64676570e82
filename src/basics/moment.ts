/** A point in time. Intervals come from the monotonic clock: the wall clock may be set at any moment. */
export interface Moment {
  /** As `performance.now()` has it. */
  readonly monotonicMs: number
  /** For people. */
  readonly wall: Date
}

export function now(): Moment {
  return { monotonicMs: performance.now(), wall: new Date() }
}
