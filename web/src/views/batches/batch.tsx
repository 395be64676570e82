import { useCallback } from 'preact/hooks'
import { ask } from '../../api/request.ts'
import type { Batch } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Fact, NamedValues } from '../../parts/facts.tsx'
import { Loading, Problem } from '../../parts/messages.tsx'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { approvalPath, shortName } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { useTitle } from '../../parts/title.ts'
import { visible } from '../../parts/visible.ts'
import { BatchActions } from './actions.tsx'
import { Differences } from './differences.tsx'
import { BatchBadge, countsText } from './list.tsx'
import { Waves } from './waves.tsx'

/** One batch: its waves, how each connection did, and how their output differs. */
export default function BatchView({ id }: { readonly id: string }) {
  const load = useCallback(
    (signal: AbortSignal) => ask<Batch>('GET', `/api/batches/${encodeURIComponent(id)}`, { signal }),
    [id],
  )
  const { value, error, reload } = useLoaded(load, ['batches', 'reviews'])
  useTitle(
    value === undefined ? undefined : visible(`${shortName(value.file_name)} ${countsText(value.counts)}`),
  )
  return (
    <section class="view">
      <p class="back">
        <a href="/batches">All batches</a>
      </p>
      {value === undefined && <h1>Batch</h1>}
      {value === undefined && error === undefined && <Loading />}
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value !== undefined && <Shown batch={value} reload={reload} />}
    </section>
  )
}

function Shown({ batch, reload }: { readonly batch: Batch; readonly reload: () => void }) {
  const { stop, warning } = batch
  return (
    <>
      <h1>
        <Name>{batch.file_name}</Name> <BatchBadge batch={batch} />
      </h1>
      <p role="status">{countsText(batch.counts)}</p>
      {stop !== null && (
        <p class="warning" dir="auto">
          Stopped: {visible(stop.message)}
        </p>
      )}
      {warning !== undefined && (
        <p class="warning" dir="auto">
          {visible(warning)}
        </p>
      )}
      <About batch={batch} />
      <BatchActions batch={batch} reload={reload} />
      <Waves batch={batch} />
      {batch.groups.length > 0 && <Differences batch={batch} />}
    </>
  )
}

function About({ batch }: { readonly batch: Batch }) {
  const { owner, created_at: created, started_at: started, ended_at: ended, review, parameters } = batch
  return (
    <dl class="about">
      <Fact name="User">
        <Name>{owner}</Name>
      </Fact>
      <Fact name="Asked">
        <Moment at={created} />
      </Fact>
      {started !== null && (
        <Fact name="Elapsed">
          <Elapsed from={started} to={ended} />
        </Fact>
      )}
      <Fact name="At once">{batch.parallel}</Fact>
      <Fact name="Stops after">
        {batch.threshold} {batch.threshold === 1 ? 'failure' : 'failures'}
      </Fact>
      <NamedValues values={parameters} />
      {review !== null && (
        <Fact name="Approval">
          <a href={approvalPath(review.id)}>Look at it</a>
        </Fact>
      )}
    </dl>
  )
}
