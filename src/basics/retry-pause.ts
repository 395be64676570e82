export interface RetryTiming {
  /** The pause before the second attempt. Each further pause is twice as long, up to `longestMs`. */
  readonly firstMs: number
  readonly longestMs: number
}

/** Returns milliseconds. A random part prevents clients from retrying at the same moment. */
export function retryPause({ firstMs, longestMs }: RetryTiming, attempts: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(attempts, 30)) * (0.75 + Math.random() / 2)
}
