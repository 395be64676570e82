import { useCallback } from 'preact/hooks'
import { ask } from '../../api/request.ts'
import type { Batch } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { LoadedView } from '../../parts/loaded-view.tsx'
import { Fact, NamedValues } from '../../parts/facts.tsx'
import { Note } from '../../parts/messages.tsx'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { runbookName } from '../../parts/called.ts'
import { approvalPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { useTitle } from '../../parts/title.ts'
import { Trail } from '../../parts/trail.tsx'
import { visible } from '../../parts/visible.ts'
import { BatchActions } from './actions.tsx'
import { Differences } from './differences.tsx'
import { BatchBadge, countsText } from './list.tsx'
import { Waves } from './waves.tsx'

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
  const { file_name: file, runbook_title: title, stop, warning } = batch
  return (
    <>
      <header class="head">
        <Trail {...LIST} file={file} />
        <h1>
          <Name>{runbookName(file, title)}</Name>
        </h1>
        <BatchBadge batch={batch} />
        <BatchActions batch={batch} reload={reload} />
      </header>
      {stop !== null && (
        <Note tone="wait" title="Stopped">
          <p>{visible(stop.message)}</p>
        </Note>
      )}
      {warning !== undefined && <Note tone="wait">{visible(warning)}</Note>}
      <Progress batch={batch} />
      <Waves batch={batch} />
      {batch.groups.length > 0 && <Differences batch={batch} />}
    </>
  )
}

function Progress({ batch }: { readonly batch: Batch }) {
  const { owner, created_at: created, started_at: started, ended_at: ended, review, parameters } = batch
  return (
    <section class="card" aria-label="Progress">
      <div class="card-body is-tight">
        <p role="status">
          <strong>{countsText(batch.counts)}</strong>
        </p>
        <Strip batch={batch} />
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

const TONES = {
  'not-begun': undefined,
  running: 'is-live',
  succeeded: 'is-good',
  failed: 'is-bad',
  unknown: 'is-bad',
} as const

/** A coloured piece per connection. Hidden from screen readers, because the words above say the same. */
function Strip({ batch }: { readonly batch: Batch }) {
  return (
    <ol class="strip" aria-hidden="true">
      {batch.runs.map(({ connection, status }) => (
        <li key={connection} class={TONES[status]} />
      ))}
    </ol>
  )
}
