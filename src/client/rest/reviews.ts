import { reviewContract, type ReviewAnswer } from '../../contract/reviews.ts'
import type { Account } from '../account/account.ts'
import { call, type Read } from './call.ts'

/** Make its texts printable before you show them. */
export type Review = Read<ReviewAnswer>
export type ReviewGroup = Review['review_groups_data'][number]
/** One approval covers all connections of the batch. Only the embedded gateway has batches. */
export type ReviewedBatch = NonNullable<Review['batch']>

/** @param id of the review or of its session @throws ApiError `not-found` */
export async function fetchReview(account: Account, id: string, patienceMs?: number): Promise<Review> {
  const signal = patienceMs === undefined ? undefined : AbortSignal.timeout(patienceMs)
  return call(account, reviewContract.show, { id }, { signal })
}

export function groupNames({ review_groups_data: groups }: Review): readonly string[] {
  return groups.map(({ group }) => group)
}

/** Returns undefined when the review does not say the number. Reviews of hoop's gateway often do not. */
export function neededApprovals({ min_approvals: least, review_groups_data: groups }: Review) {
  return least === 0 ? undefined : Math.min(least, groups.length)
}

/**
 * Returns the times of the daily window as `HH:MM` in UTC. Returns undefined if the review has no window, or
 * if the window has no times. hoop's gateway may send a window without times.
 */
export function windowOf({ time_window }: Review) {
  const { start_time: start = '', end_time: end = '' } = time_window?.configuration ?? {}
  return start === '' || end === '' ? undefined : { start, end }
}

/** Returns the person who decided for the group, or an empty text before a decision. */
export function deciderOf({ reviewed_by: person }: ReviewGroup): string {
  return person === undefined ? '' : person.email || person.name || person.id
}
