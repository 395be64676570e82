import { useCallback } from 'preact/hooks'
import { readReview } from '../../api/gateway.ts'
import { person } from '../../api/person.ts'
import type { Session } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Problem } from '../../parts/messages.tsx'
import { DecisionButtons } from './decision.tsx'
import { Held, ReviewedBatch, ReviewFacts } from './review-facts.tsx'

interface ReviewOfSessionProps {
  readonly session: Session
  readonly reload: () => void
}

/** Shows the state of a session's approval, on the session's own page. */
export function ReviewOfSession({ session, reload }: ReviewOfSessionProps) {
  const { review } = session
  if (review === null) return null
  const isWaiting = review.status === 'PENDING'
  return (
    <>
      <section class="card" aria-label="Approval">
        <div class="card-head">
          <h2>Approval</h2>
        </div>
        <div class="card-body">
          {isWaiting && review.batch === undefined && session.user === person.value?.name && (
            <p role="status">
              Nothing has run yet.{' '}
              {review.when_approved === true
                ? 'The request runs as soon as it is approved, also when this page is closed.'
                : 'Run the request here after it is approved.'}
            </p>
          )}
          <Held review={review} />
          <ReviewFacts review={review} />
          {(isWaiting || review.status === 'APPROVED') && <Decision session={session.id} reload={reload} />}
        </div>
      </section>
      <ReviewedBatch review={review} />
    </>
  )
}

/** Loads the review, because only the review has this person's permissions. */
function Decision({ session, reload }: { readonly session: string; readonly reload: () => void }) {
  const load = useCallback((signal: AbortSignal) => readReview(session, signal), [session])
  const { value, error, reload: again } = useLoaded(load, ['reviews'])
  if (error !== undefined) return <Problem error={error} onRetry={again} />
  return value === undefined ? null : <DecisionButtons review={value} withdraws={false} onDecided={reload} />
}
