import { ask } from '../../api/request.ts'
import type { ListedBatch } from '../../api/types.ts'
import { ListView } from '../../parts/lists/list-view.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { runbookName } from '../../parts/called.ts'
import { batchPath } from '../../parts/paths.ts'
import { State, type StateKind } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'

const readBatches = (signal: AbortSignal) => ask<ListedBatch[]>('GET', '/api/batches', { signal })

/** A batch runs one runbook on several connections. */
export default function BatchList() {
  return (
    <ListView
      title="Batches"
      about="One runbook on several connections, wave by wave."
      items={useLoaded(readBatches, ['batches'])}
      textOf={({ file_name: file, runbook_title: title = '', owner }) => `${title} ${file} ${owner}`}
      columns={['What', 'State', 'Connections', 'By', 'Asked']}
      row={(batch) => <Row key={batch.id} batch={batch} />}
      none={
        <Empty
          icon="waves"
          title="No batch was started yet"
          actions={
            <a class="button" href="/runbooks">
              Look at the runbooks
            </a>
          }
        >
          To start a batch, open a runbook that several connections can run, and choose more than one
          connection.
        </Empty>
      }
    />
  )
}

function Row({ batch }: { readonly batch: ListedBatch }) {
  const { id, file_name: file, runbook_title: title, owner, created_at: created, counts } = batch
  return (
    <tr>
      <th scope="row">
        <a class="strong" href={batchPath(id)}>
          <Name>{runbookName(file, title)}</Name>
        </a>
        <span class="under">
          <Name>{file}</Name>
        </span>
      </th>
      <td>
        <BatchBadge batch={batch} />
      </td>
      <td>{countsText(counts)}</td>
      <td>
        <Name>{owner}</Name>
      </td>
      <td>
        <Moment at={created} />
      </td>
    </tr>
  )
}

const KINDS = {
  waiting: 'waiting',
  running: 'running',
  done: 'succeeded',
  stopped: 'stopped',
} as const satisfies Readonly<Record<ListedBatch['status'], StateKind>>

interface BatchBadgeProps {
  readonly batch: Pick<ListedBatch, 'status' | 'review' | 'counts'>
  /** Which wave runs. */
  readonly wave?: string | undefined
}

export function BatchBadge({ batch, wave = 'running' }: BatchBadgeProps) {
  const { status, review, counts } = batch
  const { failed, stopped = 0 } = counts
  const hasFailed = failed > 0
  const ends = [failed > 0 && `${failed} failed`, stopped > 0 && `${stopped} stopped`]
    .filter(Boolean)
    .join(', ')
  const words = {
    waiting: review?.state?.text ?? 'waits for approval',
    running: wave,
    done: ends === '' ? 'all have run' : `all have run, ${ends}`,
    stopped: hasFailed ? `stopped, ${failed} failed` : 'stopped',
  }
  const isBad = hasFailed && (status === 'done' || status === 'stopped')
  const kind = isBad ? 'failed' : status === 'done' && stopped > 0 ? 'stopped' : KINDS[status]
  return <State kind={kind}>{words[status]}</State>
}

export function countsText({
  total,
  succeeded,
  failed,
  stopped = 0,
  running,
  not_begun: left,
}: ListedBatch['counts']): string {
  const parts = [`${succeeded} of ${total} succeeded`]
  if (failed > 0) parts.push(`${failed} failed`)
  if (stopped > 0) parts.push(`${stopped} stopped`)
  if (running > 0) parts.push(`${running} running`)
  if (left > 0) parts.push(`${left} not begun`)
  return parts.join(', ')
}
