import type { History } from '../../src/gateway/history/history.ts'

/** Removes all that ended before the time. @returns how many sessions that were */
export function removeOlder(history: History, before: Date): number {
  let removed = 0
  for (let goesOn = true; goesOn;) {
    const { sessions, isDone } = history.quota.removeOlder(() => before.getTime())
    removed += sessions
    goesOn = !isDone
  }
  while (history.shrink());
  return removed
}
