/** A point in time. Measure intervals with the monotonic clock: the wall clock may be changed at any moment. */
export interface Moment {
  /** The value of `performance.now()`. */
  readonly monotonicMs: number
  /** For people. */
  readonly wall: Date
}

export function now(): Moment {
  return { monotonicMs: performance.now(), wall: new Date() }
}
