export interface RetryTiming {
  /** To the second attempt. Each further one takes twice as long, up to `longestMs`. */
  readonly firstMs: number
  readonly longestMs: number
}

/** The pause after so many attempts that have failed before this one, in ms. Not all at the same moment. */
export function retryPause({ firstMs, longestMs }: RetryTiming, attempts: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(attempts, 30)) * (0.75 + Math.random() / 2)
}
