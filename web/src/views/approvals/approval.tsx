import { useCallback } from 'preact/hooks'
import { readReview, readSession } from '../../api/gateway.ts'
import type { Review, Session } from '../../api/types.ts'
import { fileOf, sessionName } from '../../parts/called.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { LoadedView } from '../../parts/loaded-view.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { useTitle } from '../../parts/title.ts'
import { Trail } from '../../parts/trail.tsx'
import { visible } from '../../parts/visible.ts'
import { readBefore, Request } from './request.tsx'
import { Held, placeOf, ReviewState } from './review-facts.tsx'

const LIST = { href: '/approvals', list: 'Approvals', label: 'All approvals' }

/** A request in full detail, and the decision about it. */
export default function Approval({ id }: { readonly id: string }) {
  const load = useCallback(
    async (signal: AbortSignal) => {
      const review = await readReview(id, signal)
      const session = await readSession(review.session, signal)
      return { review, session, before: await readBefore(id, signal) }
    },
    [id],
  )
  const loaded = useLoaded(load, ['reviews'])
  return (
    <LoadedView loaded={loaded} trail={<Trail {...LIST} />} heading="Approval">
      {(value) => <Shown {...value} reload={loaded.reload} />}
    </LoadedView>
  )
}

interface ShownProps {
  readonly review: Review
  readonly session: Session
  readonly before: Session | undefined
  readonly reload: () => void
}

function Shown({ review, session, before, reload }: ShownProps) {
  const name = sessionName(session)
  useTitle(visible(`${name} on ${placeOf(review)}`))
  return (
    <>
      <header class="head">
        <Trail {...LIST} file={fileOf(session)} />
        <h1>
          <Name>{name}</Name> on <bdi>{visible(placeOf(review))}</bdi>
          {review.batch !== undefined && ', once on each'}
        </h1>
        <ReviewState review={review} />
        <p>
          <Name>{review.owner}</Name> {review.status === 'PENDING' ? 'asks' : 'asked'} for it.{' '}
          <a href={sessionPath(session.id)}>The session</a>
        </p>
      </header>
      <Held review={review} />
      <Request review={review} session={session} before={before} title="Decision" onDecided={reload} />
    </>
  )
}
