import type { Review } from '../../api/types.ts'
import { durationText } from '../../parts/duration-text.ts'

/** How other runs have ended, the newest first. */
export type Ends = NonNullable<Review['outcomes']>['requester']

/** How the runs of a request have ended. */
export type Runs = NonNullable<Review['runs']>

/** Returns a text such as `has run, failed`, or `has run: 3 succeeded, 1 failed` for several runs. */
export function runsText({ succeeded, failed, stopped, running, not_begun: left }: Runs): string {
  const counts = [
    [succeeded, 'succeeded'],
    [failed, 'failed'],
    [stopped, 'stopped'],
    [running, 'running'],
    [left, 'not begun'],
  ] as const
  const some = counts.filter(([count]) => count > 0)
  const [first, ...others] = some
  if (first !== undefined && others.length === 0 && first[0] === 1)
    return running > 0 ? 'running' : `has run, ${first[1]}`
  return `${running > 0 ? 'runs' : 'has run'}: ${some.map(([count, word]) => `${count} ${word}`).join(', ')}`
}

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
