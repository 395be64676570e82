import { useMemo } from 'preact/hooks'
import { readReviews, readSessions } from '../../api/gateway.ts'
import type { ListedSession, Review } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { approvalPath, shortName } from '../../parts/paths.ts'
import { State } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { WindowList } from '../../parts/lists/window-list.tsx'
import { placeOf, ReviewBadge } from './review-facts.tsx'

const ROW_PX = 64

/** What waits for somebody, as it comes; then what was decided. */
export default function ApprovalList() {
  const { value, error, reload } = useLoaded(readReviews, ['reviews'])
  const names = useNames()
  const waiting = value?.filter(({ status }) => status === 'PENDING') ?? []
  const decided = value?.filter(({ status }) => status !== 'PENDING') ?? []
  return (
    <>
      <header class="head">
        <h1>Approvals</h1>
        <p>What your groups are asked for, and what you have asked for yourself.</p>
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
          When somebody asks to run something that your groups approve, it appears here by itself. Connections
          with a <code>review</code> in gateway.yaml ask for it.
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
              <WaitingRow key={review.id} review={review} names={names} />
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
            row={(index) => decidedRow(decided[index], names)}
          />
        </section>
      )}
    </>
  )
}

type Names = ReadonlyMap<string, string>

/** What each session runs, by its id: a review does not say it. Without an answer the rows name the kind. */
function useNames(): Names {
  const { value } = useLoaded(readAsked, ['reviews'])
  return useMemo(() => new Map(value?.data.map((session) => [session.id, nameOf(session)])), [value])
}

const readAsked = (signal: AbortSignal) =>
  readSessions('status=waiting,approved&limit=100&count=none', signal)

function nameOf({ labels }: ListedSession): string {
  const file = labels?.['runbookFile']
  return file === undefined ? '' : shortName(file)
}

/** `a run`, or `a terminal`. */
function kindOf({ type }: Review): string {
  return type === 'jit' ? 'a terminal' : 'a run'
}

function RunbookName({ review, names }: { readonly review: Review; readonly names: Names }) {
  const name = names.get(review.session) ?? ''
  if (name === '') return null
  return (
    <>
      <b>
        <Name>{name}</Name>
      </b>{' '}
      ·{' '}
    </>
  )
}

function WaitingRow({ review, names }: { readonly review: Review; readonly names: Names }) {
  const { id, owner, created_at: created, expires_at: expires, batch, review_groups_data: groups } = review
  const asked = groups.filter(({ status }) => status === 'PENDING').map(({ group }) => group)
  return (
    <li>
      <Icon name={batch !== undefined ? 'waves' : review.type === 'jit' ? 'terminal' : 'book'} />
      <div class="row-text">
        <a class="whole" href={approvalPath(id)}>
          <Name>{owner}</Name> asks for {kindOf(review)} on <Name>{placeOf(review)}</Name>
          {batch !== undefined && ', once on each'}
        </a>
        <span>
          <RunbookName review={review} names={names} />
          asked <Moment at={created} /> · waits until <Moment at={expires} />
          {batch !== undefined && (
            <>
              {' '}
              · <Name>{batch.waves.flat().join(', ')}</Name>
            </>
          )}
        </span>
      </div>
      <State kind="waiting">
        <Name>{asked.length === 0 ? 'waits for approval' : asked.join(', ')}</Name>
      </State>
    </li>
  )
}

function decidedRow(review: Review | undefined, names: Names) {
  if (review === undefined) return null
  const { id, owner, status, created_at: created } = review
  return (
    <div class="session-row">
      <a class="session-title strong" href={approvalPath(id)}>
        <Name>{owner}</Name> asks for {kindOf(review)} on <Name>{placeOf(review)}</Name>
      </a>
      <ReviewBadge status={status} />
      <span class="hint session-about">
        <RunbookName review={review} names={names} />
        <Moment at={created} />
      </span>
    </div>
  )
}
