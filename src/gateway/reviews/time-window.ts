import type { TimeWindow } from './review.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** Returns the minutes since midnight of `HH:MM`. */
export function minutesOf(text: string): number | undefined {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes)
}

/**
 * Tells whether the time is in the window. Both are in UTC. If the window includes midnight, the part after
 * midnight counts, too. hoop's gateway ignores that part.
 */
export function isInside({ start, end }: TimeWindow, now: Date): boolean {
  const time = ((now.getTime() % DAY_MS) + DAY_MS) % DAY_MS
  const from = (minutesOf(start) ?? Infinity) * MINUTE_MS
  const to = (minutesOf(end) ?? -Infinity) * MINUTE_MS
  return from < to ? from <= time && time <= to : time >= from || time <= to
}
