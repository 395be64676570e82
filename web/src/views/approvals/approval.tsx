import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { readReview, readSession } from '../../api/gateway.ts'
import { person } from '../../api/person.ts'
import type { Review, Session } from '../../api/types.ts'
import { IssueLink } from '../../parts/issue-link.tsx'
import { Moment } from '../../parts/moment.tsx'
import { fileOf } from '../../parts/called.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { LoadedView } from '../../parts/loaded-view.tsx'
import { Note } from '../../parts/messages.tsx'
import { approvalPath, batchPath, sessionPath } from '../../parts/paths.ts'
import { go } from '../../parts/router.ts'
import { useSingleKeys } from '../../parts/single-keys.ts'
import { Name } from '../../parts/text.tsx'
import { useTitle } from '../../parts/title.ts'
import { Trail } from '../../parts/trail.tsx'
import { visible } from '../../parts/visible.ts'
import { decidedText } from './decided-text.ts'
import { neighbours, NextRequest } from './next-request.tsx'
import { RequestName, requestText } from './request-name.tsx'
import { readBefore, Request } from './request.tsx'
import { placeOf } from './place-of.ts'
import { Held, ReviewState } from './review-facts.tsx'

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
  const [decided, setDecided] = useState<Review>()
  useTitle(visible(`${requestText(review)} on ${placeOf(review)}`))
  const open = (id: string | undefined) => id !== undefined && go(approvalPath(id))
  useSingleKeys({
    j: () => open(neighbours(review).next),
    k: () => open(neighbours(review).previous),
  })
  return (
    <>
      <header class="head">
        <Trail {...LIST} file={fileOf(session)} />
        <h1>
          <RequestName review={review} /> <span class="said-only">on {visible(placeOf(review))}</span>
        </h1>
        <ReviewState review={review} />
        {decided === undefined && (
          <div class="line push only-wide">
            <NextRequest review={review} />
          </div>
        )}
        <p>
          <strong class="strong">
            {review.owner === person.value?.name ? 'You' : <Name>{review.owner}</Name>}
          </strong>{' '}
          asked <Moment at={review.created_at} /> to {verbOf(review)}{' '}
          <strong class="strong">{visible(placeOf(review))}</strong>
          {review.batch !== undefined && ', once on each'}. <a href={sessionPath(session.id)}>The session</a>
          <Issue session={session} />
        </p>
      </header>
      {decided !== undefined && <AfterDecision review={decided} />}
      <Held review={review} />
      <Request
        review={review}
        session={session}
        before={before}
        title={review.can.approve ? 'Your decision' : 'Decision'}
        onDecided={(after) => {
          setDecided(after)
          reload()
        }}
      />
    </>
  )
}

function verbOf({ type, runbook }: Review): string {
  if (type === 'jit') return 'open a terminal on'
  return runbook === undefined ? 'run a script on' : 'run it on'
}

function Issue({ session: { integrations_metadata: issue } }: { readonly session: Session }) {
  if (issue === null) return null
  return (
    <>
      {' · '}
      <IssueLink issue={issue} />
    </>
  )
}

/** Says what the person's decision has led to, and offers the next request. */
function AfterDecision({ review }: { readonly review: Review }) {
  const { batch, session } = review
  const hasEnded = review.status === 'REJECTED' || review.status === 'REVOKED'
  const place = useRef<HTMLDivElement>(null)
  // On a phone the buttons of the decision are far below.
  useEffect(() => place.current?.scrollIntoView({ block: 'nearest' }), [review])
  return (
    <div class="after-decision" ref={place}>
      <Note tone={hasEnded ? 'live' : 'good'} role="status" title={visible(decidedText(review))}>
        <p class="line">
          <a class="button" href={batch === undefined ? sessionPath(session) : batchPath(batch.id)}>
            {batch === undefined ? 'Open the session' : 'Open the batch'}
          </a>
          <NextRequest review={review} isPrimary />
        </p>
      </Note>
    </div>
  )
}
