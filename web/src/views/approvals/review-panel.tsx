import { person } from '../../api/person.ts'
import type { Session } from '../../api/types.ts'
import { runsWhenApproved } from '../sessions/asked.ts'
import { DecisionButtons } from './decision.tsx'
import { ReviewedBatch, ReviewFacts } from './review-facts.tsx'

interface ReviewOfSessionProps {
  readonly session: Session
  readonly reload: () => void
}

/** Where a session stands with its approval, on the session's own page. */
export function ReviewOfSession({ session, reload }: ReviewOfSessionProps) {
  const { review } = session
  if (review === null) return null
  const isWaiting = review.status === 'PENDING'
  return (
    <section class="review" aria-label="Approval">
      <h2>Approval</h2>
      {isWaiting && review.batch === undefined && session.user === person.value?.name && (
        <p role="status">
          Nothing has run yet.{' '}
          {runsWhenApproved(session.id)
            ? 'It runs as soon as it is approved, while this page is open.'
            : 'Once it is approved, run it here.'}
        </p>
      )}
      <ReviewedBatch review={review} />
      <ReviewFacts review={review} />
      {(isWaiting || review.status === 'APPROVED') && <DecisionButtons review={review} onDecided={reload} />}
    </section>
  )
}
