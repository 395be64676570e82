import type { ListedSession } from '../../api/types.ts'
import { placeOf } from '../approvals/review-facts.tsx'

/** Returns the target of a session. Before a batch runs, its one session represents all its connections. */
export function placeOfSession({ connection, review }: Pick<ListedSession, 'connection' | 'review'>): string {
  const hasBegun = review?.status === 'PROCESSING' || review?.status === 'EXECUTED'
  return review === null || hasBegun ? connection : placeOf({ ...review, connection })
}
