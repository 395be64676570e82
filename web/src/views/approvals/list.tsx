import { readReviews } from '../../api/gateway.ts'
import { person } from '../../api/person.ts'
import type { Review } from '../../api/types.ts'
import { useAction } from '../../parts/action.ts'
import { reviewedName } from '../../parts/called.ts'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { Moment, TimeLeft } from '../../parts/moment.tsx'
import { approvalPath } from '../../parts/paths.ts'
import { State } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { RowBlocks } from '../../parts/lists/row-blocks.tsx'
import { withdraw } from './decision.tsx'
import { placeOf, ReviewState } from './review-facts.tsx'

/** Shows the waiting requests, which are updated live, and below them the decided ones. */
export default function ApprovalList() {
  const { value, error, reload } = useLoaded(readReviews, ['reviews'])
  const waiting = value?.filter(({ status }) => status === 'PENDING') ?? []
  const decided = value?.filter(({ status }) => status !== 'PENDING') ?? []
  return (
    <>
      <header class="head">
        <h1>Approvals</h1>
        <p>Requests that your groups decide on, and your own requests.</p>
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
      {waiting.length > 0 && (
        <section class="card" aria-label="Waiting">
          <div class="card-head">
            <h2>Waiting</h2>
            <span class="count" aria-hidden="true">
              {waiting.length}
            </span>
          </div>
          <ul class="rows is-loose">
            {waiting.map((review) => (
              <WaitingRow key={review.id} review={review} reload={reload} />
            ))}
          </ul>
        </section>
      )}
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

function kindOf({ type }: Review): string {
  return type === 'jit' ? 'a terminal' : 'a run'
}

function RunbookName({ review }: { readonly review: Review }) {
  const name = reviewedName(review)
  if (name === undefined) return null
  return (
    <>
      <b>
        <Name>{name}</Name>
      </b>{' '}
      ·{' '}
    </>
  )
}

function Asker({ owner }: Pick<Review, 'owner'>) {
  if (owner === person.value?.name) return <>You ask</>
  return (
    <>
      <Name>{owner}</Name> asks
    </>
  )
}

/** Withdraws the person's own request in the list. */
function Withdraw({ review, reload }: { readonly review: Review; readonly reload: () => void }) {
  const { busy, error, act } = useAction(reload)
  return (
    <span class="above">
      <button
        type="button"
        class="button is-small"
        disabled={busy}
        title={error?.message}
        onClick={() => act(() => withdraw(review))}
      >
        Withdraw
      </button>
    </span>
  )
}

function WaitingRow({ review, reload }: { readonly review: Review; readonly reload: () => void }) {
  const { id, owner, created_at: created, expires_at: expires, batch, review_groups_data: groups } = review
  const asked = groups.filter(({ status }) => status === 'PENDING').map(({ group }) => group)
  return (
    <li>
      <Icon name={batch !== undefined ? 'waves' : review.type === 'jit' ? 'terminal' : 'book'} />
      <div class="row-text">
        <a class="whole" href={approvalPath(id)}>
          <Asker owner={owner} /> for {kindOf(review)} on <Name>{placeOf(review)}</Name>
          {batch !== undefined && ', once on each'}
        </a>
        <span>
          <RunbookName review={review} />
          asked <Moment at={created} />
          {batch !== undefined && batch.waves.length > 0 && (
            <>
              {' '}
              · <Name>{batch.waves.flat().join(', ')}</Name>
            </>
          )}
        </span>
      </div>
      <span class="soft small col">
        <TimeLeft until={expires} />
      </span>
      <State kind="waiting">
        <Name>{asked.length === 0 ? 'waits for approval' : asked.join(', ')}</Name>
      </State>
      {review.can.withdraw && <Withdraw review={review} reload={reload} />}
    </li>
  )
}

function Decided({ review }: { readonly review: Review }) {
  const { id, owner, created_at: created } = review
  const name = reviewedName(review)
  return (
    <tr>
      <th scope="row">
        <a class="strong" href={approvalPath(id)}>
          {owner === person.value?.name ? 'You' : <Name>{owner}</Name>} asked for {kindOf(review)} on{' '}
          <Name>{placeOf(review)}</Name>
        </a>
        {name !== undefined && (
          <span class="under">
            <Name>{name}</Name>
          </span>
        )}
      </th>
      <td>
        <Moment at={created} />
      </td>
      <td>
        <ReviewState review={review} />
      </td>
    </tr>
  )
}
