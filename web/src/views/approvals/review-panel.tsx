import { useCallback } from 'preact/hooks'
import { readReview } from '../../api/gateway.ts'
import { person } from '../../api/person.ts'
import type { Session } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Loading, Problem } from '../../parts/messages.tsx'
import { isApproved, isWaiting } from '../sessions/state.tsx'
import { RunTabs } from '../sessions/tabs.tsx'
import { DecisionButtons } from './decision.tsx'
import { readBefore, Request } from './request.tsx'
import { Held, ReviewedBatch, ReviewFacts } from './review-facts.tsx'

interface ReviewOfSessionProps {
  readonly session: Session
  readonly reload: () => void
}

/**
 * Shows the state of a session's approval, on the session's own page. Before the run, also shows the whole
 * request, as the view of the approval does.
 */
export function ReviewOfSession({ session, reload }: ReviewOfSessionProps) {
  const { review } = session
  if (review === null) return null
  if (isWaiting(session) || isApproved(session)) return <Asked session={session} reload={reload} />
  return (
    <>
      <section class="card" aria-label="Approval">
        <div class="card-head">
          <h2>Approval</h2>
        </div>
        <div class="card-body">
          <Held review={review} />
          <ReviewFacts review={review} />
          {review.status === 'APPROVED' && <Revocation session={session} reload={reload} />}
        </div>
      </section>
      <ReviewedBatch review={review} />
    </>
  )
}

function Asked({ session, reload }: ReviewOfSessionProps) {
  const { id } = session
  const load = useCallback(
    async (signal: AbortSignal) => ({
      // Only the review itself has this person's permissions.
      review: await readReview(id, signal),
      before: await readBefore(id, signal),
    }),
    [id],
  )
  const { value, error, reload: again } = useLoaded(load, ['reviews'])
  if (error !== undefined)
    return (
      <>
        {/* People who may see the session see its review only where they are asked. */}
        {error.code === 'review-not-found' || <Problem error={error} onRetry={again} />}
        {session.review !== null && <ReviewFacts review={session.review} />}
        <RunTabs session={session} hasRun={false} reload={reload} />
      </>
    )
  if (value === undefined) return <Loading />
  const { review, before } = value
  const isOwn = session.user === person.value?.name
  return (
    <Request
      review={review}
      session={session}
      before={before}
      title="Approval"
      withdraws={false}
      onDecided={reload}
    >
      {isWaiting(session) && review.batch === undefined && isOwn && (
        <p role="status">
          Nothing has run yet.{' '}
          {review.when_approved === true
            ? 'The request runs as soon as it is approved, also when this page is closed.'
            : 'Run the request here after it is approved.'}
        </p>
      )}
      <Held review={review} />
    </Request>
  )
}

/** Loads the review, because only the review itself has this person's permissions. */
function Revocation({ session: { id }, reload }: ReviewOfSessionProps) {
  const load = useCallback((signal: AbortSignal) => readReview(id, signal), [id])
  const { value, error, reload: again } = useLoaded(load, ['reviews'])
  if (error !== undefined) return <Problem error={error} onRetry={again} />
  return value === undefined ? null : <DecisionButtons review={value} withdraws={false} onDecided={reload} />
}
