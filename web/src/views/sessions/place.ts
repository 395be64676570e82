import type { ListedSession } from '../../api/types.ts'
import { placeOf } from '../approvals/place-of.ts'

/**
 * Returns the target of a session. Before a batch runs, the batch has only one session. The target of this
 * session is all connections of the batch.
 */
export function placeOfSession({ connection, review }: Pick<ListedSession, 'connection' | 'review'>): string {
  const hasBegun = review?.status === 'PROCESSING' || review?.status === 'EXECUTED'
  return review === null || hasBegun ? connection : placeOf({ ...review, connection })
}
