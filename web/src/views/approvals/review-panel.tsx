import { person } from '../../api/person.ts'
import type { Session } from '../../api/types.ts'
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
          {review.when_approved === true
            ? 'It runs as soon as it is approved, also when this page is closed.'
            : 'Once it is approved, run it here.'}
        </p>
      )}
      <ReviewedBatch review={review} />
      <ReviewFacts review={review} />
      {(isWaiting || review.status === 'APPROVED') && (
        <DecisionButtons review={review} session={session.id} withdraws={false} onDecided={reload} />
      )}
    </section>
  )
}
