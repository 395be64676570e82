import type { ListedSession } from '../../api/types.ts'
import { durationText } from '../../parts/duration-text.ts'

/** Returns a text such as `9 of 10 succeeded, usually 50 s`. */
export function outcomesText(sessions: readonly ListedSession[]): string {
  const succeeded = sessions.filter(({ state }) => state.name === 'succeeded')
  const times = succeeded
    .flatMap(({ began_at: began, end_date: end }) =>
      began === null || began === undefined || end === null ? [] : [Date.parse(end) - Date.parse(began)],
    )
    .toSorted((a, b) => a - b)
  const middle = times[Math.floor((times.length - 1) / 2)]
  const count = `${succeeded.length} of ${sessions.length} succeeded`
  return middle === undefined
    ? count
    : `${count}, usually ${middle < 1000 ? 'less than 1 s' : durationText(middle)}`
}
