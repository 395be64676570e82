import { useCallback } from 'preact/hooks'
import { ask } from '../../api/request.ts'
import type { Batch } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Loading, Problem } from '../../parts/messages.tsx'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { approvalPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
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
  return (
    <section class="view">
      <p class="back">
        <a href="/batches">All batches</a>
      </p>
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
        <Name>{batch.file_name}</Name> <BatchBadge status={batch.status} />
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
      <dt>User</dt>
      <dd>
        <Name>{owner}</Name>
      </dd>
      <dt>Asked</dt>
      <dd>
        <Moment at={created} />
      </dd>
      {started !== null && (
        <>
          <dt>Elapsed</dt>
          <dd>
            <Elapsed from={started} to={ended} />
          </dd>
        </>
      )}
      <dt>At once</dt>
      <dd>{batch.parallel}</dd>
      <dt>Stops after</dt>
      <dd>
        {batch.threshold} {batch.threshold === 1 ? 'failure' : 'failures'}
      </dd>
      {Object.entries(parameters).map(([name, value]) => [
        <dt key={`${name}-name`}>
          <Name>{name}</Name>
        </dt>,
        <dd key={name} class="value">
          <Name>{value}</Name>
        </dd>,
      ])}
      {review !== null && (
        <>
          <dt>Approval</dt>
          <dd>
            <a href={approvalPath(review.id)}>Look at it</a>
          </dd>
        </>
      )}
    </dl>
  )
}
