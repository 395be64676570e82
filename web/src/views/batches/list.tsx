import { ask } from '../../api/request.ts'
import type { ListedBatch } from '../../api/types.ts'
import { CardList } from '../../parts/lists/card-list.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Moment } from '../../parts/moment.tsx'
import { batchPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'

const readBatches = (signal: AbortSignal) => ask<ListedBatch[]>('GET', '/api/batches', { signal })

/** One runbook on several connections, each time. */
export default function BatchList() {
  return (
    <CardList
      title="Batches"
      items={useLoaded(readBatches, ['batches'])}
      keyOf={({ id }) => id}
      card={(batch) => <Card batch={batch} />}
      none={
        <>
          There is no batch yet. Open a <a href="/runbooks">runbook</a> that several connections have, and
          choose “Run on several of them”.
        </>
      }
    />
  )
}

function Card({ batch }: { readonly batch: ListedBatch }) {
  const { id, file_name: file, owner, created_at: created, counts } = batch
  return (
    <>
      <h2>
        <a href={batchPath(id)}>
          <Name>{file}</Name>
        </a>{' '}
        <BatchBadge batch={batch} />
      </h2>
      <p class="hint">
        <Name>{owner}</Name> · <Moment at={created} /> · {countsText(counts)}
      </p>
    </>
  )
}

export function BatchBadge({ batch }: { readonly batch: Pick<ListedBatch, 'status' | 'review'> }) {
  const { status, review } = batch
  const words = {
    waiting: review?.state?.text ?? 'waits for approval',
    running: 'running',
    done: 'all have run',
    stopped: 'stopped',
  }
  return <span class={`badge badge-${status}`}>{words[status]}</span>
}

export function countsText({
  total,
  succeeded,
  failed,
  running,
  not_begun: left,
}: ListedBatch['counts']): string {
  const parts = [`${succeeded} of ${total} succeeded`]
  if (failed > 0) parts.push(`${failed} failed`)
  if (running > 0) parts.push(`${running} running`)
  if (left > 0) parts.push(`${left} not begun`)
  return parts.join(', ')
}
