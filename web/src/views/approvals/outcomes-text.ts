import type { Review } from '../../api/types.ts'
import { durationText } from '../../parts/duration-text.ts'

/** How other runs have ended, the newest first. */
export type Ends = NonNullable<Review['outcomes']>['requester']

/** Returns a text such as `9 of 10 succeeded, usually 50 s`. */
export function outcomesText(ends: Ends): string {
  const succeeded = ends.filter(({ outcome }) => outcome === 'succeeded')
  const times = succeeded.flatMap(({ ran_ms: ran }) => ran ?? []).toSorted((a, b) => a - b)
  const middle = times[Math.floor((times.length - 1) / 2)]
  const count = `${succeeded.length} of ${ends.length} succeeded`
  return middle === undefined
    ? count
    : `${count}, usually ${middle < 1000 ? 'less than 1 s' : durationText(middle)}`
}
