import { useMemo, useState } from 'preact/hooks'
import { readReviews } from '../../api/gateway.ts'
import { person } from '../../api/person.ts'
import type { Review } from '../../api/types.ts'
import { Moment } from '../../parts/moment.tsx'
import { RowBlocks } from '../../parts/lists/row-blocks.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Note, Problem } from '../../parts/messages.tsx'
import { approvalPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { decidedText } from './decided-text.ts'
import { Queue } from './queue.tsx'
import { RequestName } from './request-name.tsx'
import { placeOf } from './place-of.ts'
import { ReviewState } from './review-facts.tsx'

/** Shows the waiting requests, which are updated live, and below them the decided ones. */
export default function ApprovalList() {
  const { value, error, reload } = useLoaded(readReviews, ['reviews'])
  const [last, setLast] = useState<Review>()
  const { waiting, decided } = useMemo(
    () => ({
      waiting: value?.filter(({ status }) => status === 'PENDING') ?? [],
      decided: value?.filter(({ status }) => status !== 'PENDING') ?? [],
    }),
    [value],
  )
  return (
    <>
      <header class="head">
        <h1>Approvals</h1>
        <p>Requests that your groups decide on, and your own requests. What ends first is on top.</p>
      </header>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading />}
      {value !== undefined && (
        <p class="said-only" role="status">
          {waiting.length === 0 ? 'Nothing waits for an approval.' : `${waiting.length} waiting`}
        </p>
      )}
      {value !== undefined && waiting.length === 0 && (
        <Empty icon="approve" title="Nothing waits for an approval">
          Requests that your groups decide on appear here automatically. A connection needs approval if it has
          a <code>review</code> in gateway.yaml.
        </Empty>
      )}
      {last !== undefined && <LastDecision review={last} />}
      {waiting.length > 0 && <Queue waiting={waiting} onDecided={setLast} reload={reload} />}
      {decided.length > 0 && (
        <section class="stack is-tight" aria-labelledby="decided">
          <h2 id="decided">Decided</h2>
          <div class="card scroll" role="region" aria-label="Decided requests" tabIndex={0}>
            <table class="folds">
              <thead>
                <tr>
                  <th scope="col">Request</th>
                  <th scope="col">Asked</th>
                  <th scope="col">Decision</th>
                </tr>
              </thead>
              <RowBlocks
                items={decided}
                columns={3}
                row={(review) => <Decided key={review.id} review={review} />}
              />
            </table>
          </div>
        </section>
      )}
    </>
  )
}

/** Says what the last decision has led to. It stays above the rows, because a toast would lie on their buttons. */
function LastDecision({ review }: { readonly review: Review }) {
  const isRejected = review.status === 'REJECTED'
  return (
    <div class="last-decision">
      <Note tone={isRejected ? 'live' : 'good'} role="status">
        <p class="line">
          {visible(decidedText(review))}
          <a href={approvalPath(review.id)}>Show</a>
        </p>
      </Note>
    </div>
  )
}

function Decided({ review }: { readonly review: Review }) {
  const { id, owner, created_at: created } = review
  return (
    <tr>
      <th scope="row">
        <a class="strong whole-name" href={approvalPath(id)}>
          <RequestName review={review} />
        </a>
        <span class="under">
          {owner === person.value?.name ? 'You' : <Name>{owner}</Name>} on <Name>{placeOf(review)}</Name>
        </span>
      </th>
      <td>
        <Moment at={created} />
      </td>
      <td>
        <ReviewState review={review} />
        <Deciders review={review} />
      </td>
    </tr>
  )
}

/** The people who decided, or why a request ended without a decision. */
function Deciders({ review }: { readonly review: Review }) {
  const { review_groups_data: groups, rejection_reason: reason = '', withdrawn_by: withdrawnBy } = review
  const names = [...new Set(groups.flatMap(({ reviewed_by: by }) => by?.name ?? []))]
  if (names.length === 0)
    return withdrawnBy === undefined && reason !== '' ? <span class="under">{visible(reason)}</span> : null
  return (
    <span class="under">
      by {names.map((name) => (name === person.value?.name ? 'you' : visible(name))).join(', ')}
    </span>
  )
}
