import { useCallback } from 'preact/hooks'
import { readReview, readSession } from '../../api/gateway.ts'
import type { Review, Session } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { NamedValues } from '../../parts/facts.tsx'
import { Loading, Problem } from '../../parts/messages.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { visible, visibleLines } from '../../parts/visible.ts'
import { recordedParameters } from '../runbooks/recorded.ts'
import { titleOf } from '../sessions/list.tsx'
import { DecisionButtons } from './decision.tsx'
import { placeOf, ReviewBadge, ReviewedBatch, ReviewFacts } from './review-facts.tsx'

/** What somebody wants to run, exactly, and the decision. */
export default function Approval({ id }: { readonly id: string }) {
  const load = useCallback(
    async (signal: AbortSignal) => {
      const review = await readReview(id, signal)
      return { review, session: await readSession(review.session, signal) }
    },
    [id],
  )
  const { value, error, reload } = useLoaded(load, ['reviews'])
  return (
    <section class="view">
      <p class="back">
        <a href="/approvals">All approvals</a>
      </p>
      {value === undefined && <h1>Approval</h1>}
      {value === undefined && error === undefined && <Loading />}
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value !== undefined && <Shown {...value} reload={reload} />}
    </section>
  )
}

interface ShownProps {
  readonly review: Review
  readonly session: Session
  readonly reload: () => void
}

function Shown({ review, session, reload }: ShownProps) {
  return (
    <>
      <h1>
        <bdi>{visible(titleOf(session))}</bdi> on <bdi>{visible(placeOf(review))}</bdi>{' '}
        <ReviewBadge status={review.status} />
      </h1>
      <ReviewedBatch review={review} />
      <ReviewFacts review={review} />
      <Parameters session={session} />
      {session.script.data === '' ? (
        <p class="hint">It asks for a terminal: what will be typed there is not known yet.</p>
      ) : (
        <>
          <h2>What runs</h2>
          <p class="hint">
            Exactly this, {review.batch === undefined ? 'once' : `on ${placeOf(review)}, once on each`}.
            Secrets in it are replaced here.
          </p>
          <pre class="script" tabIndex={0} aria-label="Script">
            {visibleLines(session.script.data)}
          </pre>
        </>
      )}
      <DecisionButtons review={review} onDecided={reload} />
      <p>
        <a href={sessionPath(session.id)}>The session</a>
      </p>
    </>
  )
}

function Parameters({ session }: { readonly session: Session }) {
  return (
    <dl class="about" aria-label="Parameters">
      <NamedValues values={recordedParameters(session.labels)} />
    </dl>
  )
}
