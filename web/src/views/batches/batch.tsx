import { useCallback } from 'preact/hooks'
import { ask } from '../../api/request.ts'
import type { Batch } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { LoadedView } from '../../parts/loaded-view.tsx'
import { Fact, NamedValues } from '../../parts/facts.tsx'
import { Note } from '../../parts/messages.tsx'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { runbookName } from '../../parts/called.ts'
import { approvalPath, batchPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { useTitle } from '../../parts/title.ts'
import { Trail } from '../../parts/trail.tsx'
import { visible } from '../../parts/visible.ts'
import { BatchActions } from './actions.tsx'
import { Differences, useComparison } from './differences.tsx'
import { Left } from './left.tsx'
import { BatchBadge, countsText } from './list.tsx'
import { Strip, Waves } from './waves.tsx'
import './batch.css'

const LIST = { href: '/batches', list: 'Batches', label: 'All batches' }

/** The waves of a batch, the result on each connection, and the differences of their output. */
export default function BatchView({ id }: { readonly id: string }) {
  const load = useCallback(
    (signal: AbortSignal) => ask<Batch>('GET', `/api/batches/${encodeURIComponent(id)}`, { signal }),
    [id],
  )
  const loaded = useLoaded(load, ['batches', 'reviews'])
  const { value } = loaded
  useTitle(
    value === undefined
      ? undefined
      : visible(`${runbookName(value.file_name, value.runbook_title)} ${countsText(value.counts)}`),
  )
  return (
    <LoadedView loaded={loaded} trail={<Trail {...LIST} />} heading="Batch">
      {(batch) => <Shown batch={batch} reload={loaded.reload} />}
    </LoadedView>
  )
}

function Shown({ batch, reload }: { readonly batch: Batch; readonly reload: () => void }) {
  const compared = useComparison(batch)
  const { file_name: file, runbook_title: title, stop, warning } = batch
  return (
    <>
      <header class="head">
        <Trail {...LIST} file={file} />
        <h1>
          <Name>{runbookName(file, title)}</Name>
        </h1>
        <BatchBadge batch={batch} wave={waveOf(batch)} />
        <BatchActions batch={batch} reload={reload} />
      </header>
      {stop !== null && (
        <Note tone="wait" title="Stopped">
          <p>{visible(stop.message)}</p>
        </Note>
      )}
      {warning !== undefined && <Note tone="wait">{visible(warning)}</Note>}
      <Progress batch={batch} />
      <Left batch={batch} differences={compared.value} />
      <Waves batch={batch} />
      {batch.groups.length > 0 && <Differences compared={compared} />}
    </>
  )
}

function Progress({ batch }: { readonly batch: Batch }) {
  const { owner, created_at: created, started_at: started, ended_at: ended, review, parameters } = batch
  return (
    <section class="card" aria-label="Progress">
      <div class="card-body is-tight">
        <p role="status">
          <strong class="tally">{countsText(batch.counts)}</strong>
        </p>
        <Strip runs={batch.runs} thick />
        <dl class="facts">
          <Fact name="By">
            <Name>{owner}</Name>
          </Fact>
          <Fact name="Asked">
            <Moment at={created} />
          </Fact>
          {started !== null && (
            <Fact name={ended === null ? 'Runs for' : 'Took'}>
              <Elapsed from={started} to={ended} />
            </Fact>
          )}
          <Fact name="Parallel runs">{batch.parallel}</Fact>
          <Fact name="Stops after">
            {batch.threshold} {batch.threshold === 1 ? 'failure' : 'failures'}
          </Fact>
          {batch.retry_of !== null && (
            <Fact name="Runs again">
              <a href={batchPath(batch.retry_of)}>An earlier batch</a>
            </Fact>
          )}
          {review !== null && (
            <Fact name="Approval">
              <a href={approvalPath(review.id)}>Open the approval</a>
            </Fact>
          )}
        </dl>
        {Object.keys(parameters).length > 0 && (
          <dl class="facts is-list" aria-label="Parameters">
            <NamedValues values={parameters} />
          </dl>
        )}
      </div>
    </section>
  )
}

/** The number of the wave that runs. */
function waveOf({ status, runs, waves }: Batch): string | undefined {
  if (status !== 'running') return undefined
  const begun = runs.filter(({ status }) => status !== 'not-begun').map(({ wave }) => wave)
  return `wave ${Math.max(1, ...begun)} of ${waves.length}`
}
