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
import { WindowList } from '../../parts/lists/window-list.tsx'
import { withdraw } from './decision.tsx'
import { placeOf, ReviewState } from './review-facts.tsx'

const ROW_PX = 64

/** Waiting requests, live; then the decided ones. */
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
          Requests that your groups decide on appear here by themselves. A connection needs approval if it has
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
        <section class="stack is-tight" aria-label="Decided">
          <h2>Decided</h2>
          <WindowList
            label="Approvals"
            count={decided.length}
            rowHeight={ROW_PX}
            row={(index) => decidedRow(decided[index])}
          />
        </section>
      )}
    </>
  )
}

/** Returns `a run` or `a terminal`. */
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

/** Withdraws a request of the person, who need not open it for that. */
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
          {batch !== undefined && (
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

function decidedRow(review: Review | undefined) {
  if (review === undefined) return null
  const { id, owner, created_at: created } = review
  return (
    <div class="decided">
      <div class="row-text">
        <a class="strong" href={approvalPath(id)}>
          <Asker owner={owner} /> for {kindOf(review)} on <Name>{placeOf(review)}</Name>
        </a>
        <span>
          <RunbookName review={review} />
          <Moment at={created} />
        </span>
      </div>
      <ReviewState review={review} />
    </div>
  )
}
