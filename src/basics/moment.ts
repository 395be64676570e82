/** A point in time. Intervals use the monotonic clock, since the wall clock may be set at any moment. */
export interface Moment {
  /** As given by `performance.now()`. */
  readonly monotonicMs: number
  /** For people. */
  readonly wall: Date
}

export function now(): Moment {
  return { monotonicMs: performance.now(), wall: new Date() }
}
