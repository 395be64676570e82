/** A copy that is served though it may be outdated: nothing newer could be fetched. */
export interface OldCopy {
  /** When it was fetched, in ms since 1970. */
  readonly copiedAt: number
  /** Why there is no newer one: git's text, without credentials. */
  readonly reason: string
}

/** What callers and records are told. */
export function oldCopyText({ copiedAt, reason }: OldCopy, now = Date.now()): string {
  const [day, time] = minuteOf(copiedAt)
  const isToday = day === minuteOf(now)[0]
  return `serving the copy of ${isToday ? '' : `${day} `}${time} (UTC): ${reason}`
}

function minuteOf(ms: number): [day: string, time: string] {
  const text = new Date(ms).toISOString()
  return [text.slice(0, 10), text.slice(11, 16)]
}
