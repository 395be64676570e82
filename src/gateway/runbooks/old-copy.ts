/** A copy that may be outdated, served because nothing newer could be fetched. */
export interface OldCopy {
  /** Time at which the copy was fetched, in ms since 1970. */
  readonly copiedAt: number
  /** Why nothing newer could be fetched, in git's words and without credentials. */
  readonly reason: string
}

export function oldCopyText({ copiedAt, reason }: OldCopy, now = Date.now()): string {
  const [day, time] = minuteOf(copiedAt)
  const isToday = day === minuteOf(now)[0]
  return `serving the copy of ${isToday ? '' : `${day} `}${time} (UTC): ${reason}`
}

function minuteOf(ms: number): [day: string, time: string] {
  const text = new Date(ms).toISOString()
  return [text.slice(0, 10), text.slice(11, 16)]
}
