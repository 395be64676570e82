import { readReviews } from '../../api/gateway.ts'
import type { Review } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { approvalPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { WindowList } from '../../parts/lists/window-list.tsx'
import { placeOf, ReviewBadge } from './review-facts.tsx'

const ROW_PX = 64

/** What waits for somebody, as it comes; then what was decided. */
export default function ApprovalList() {
  const { value, error, reload } = useLoaded(readReviews, ['reviews'])
  const waiting = value?.filter(({ status }) => status === 'PENDING') ?? []
  const decided = value?.filter(({ status }) => status !== 'PENDING') ?? []
  const all = [...waiting, ...decided]
  return (
    <section class="view">
      <h1>Approvals</h1>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading />}
      {value !== undefined && (
        <p role="status">
          {waiting.length === 0 ? 'Nothing waits for an approval.' : `${waiting.length} waiting`}
        </p>
      )}
      {value?.length === 0 && (
        <Empty>
          When somebody asks to run something that your groups approve, it appears here by itself. Connections
          with a <code>review</code> in gateway.yaml ask for it.
        </Empty>
      )}
      {all.length > 0 && (
        <WindowList
          label="Approvals"
          count={all.length}
          rowHeight={ROW_PX}
          row={(index) => rowOf(all[index])}
        />
      )}
    </section>
  )
}

function rowOf(review: Review | undefined) {
  if (review === undefined) return null
  const { id, owner, status, created_at: created, batch } = review
  const what = review.type === 'jit' ? 'a terminal' : 'a run'
  return (
    <div class="session-row">
      <a class="session-title" href={approvalPath(id)}>
        <Name>{owner}</Name> asks for {what} on <Name>{placeOf(review)}</Name>
        {batch !== undefined && ', once on each'}
      </a>
      <ReviewBadge status={status} />
      <span class="hint session-about">
        <Moment at={created} />
        {batch !== undefined && (
          <>
            {' '}
            · <Name>{batch.waves.flat().join(', ')}</Name>
          </>
        )}
      </span>
    </div>
  )
}
