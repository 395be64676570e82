import { useCallback } from 'preact/hooks'
import { readReview } from '../../api/gateway.ts'
import { mayRun, person } from '../../api/person.ts'
import { ask } from '../../api/request.ts'
import type { Batch } from '../../api/types.ts'
import { useAction } from '../../parts/action.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Problem } from '../../parts/messages.tsx'
import { runsWhenApproved, useRunWhenApproved } from '../sessions/asked.ts'

interface BatchActionsProps {
  readonly batch: Batch
  readonly reload: () => void
}

/** Run what was approved, or stop what goes on. */
export function BatchActions({ batch, reload }: BatchActionsProps) {
  const { busy, error, act } = useAction(reload)
  const { id, status, owner, review } = batch
  const mayAct = mayRun() && (owner === person.value?.name || person.value?.is_admin === true)
  if (!mayAct || status === 'done' || status === 'stopped') return null
  const stop = (body: { readonly kill?: true }) =>
    act(() => ask('POST', `/api/batches/${encodeURIComponent(id)}/stop`, { body }))
  return (
    <div class="actions">
      {status === 'waiting' && review !== null && (
        <RunApproved
          {...{ batch: id, review: review.id, busy, reload }}
          onRun={() => act(() => runApprovedBatch(id))}
        />
      )}
      <button disabled={busy} onClick={() => stop({})}>
        Begin no more
      </button>
      {status === 'running' && (
        <button class="danger" disabled={busy} onClick={() => stop({ kill: true })}>
          Stop
        </button>
      )}
      {error !== undefined && <Problem error={error} />}
    </div>
  )
}

interface RunApprovedProps {
  readonly batch: string
  readonly review: string
  readonly busy: boolean
  readonly reload: () => void
  readonly onRun: () => void
}

function RunApproved({ batch, review, busy, reload, onRun }: RunApprovedProps) {
  const load = useCallback((signal: AbortSignal) => readReview(review, signal), [review])
  const { value } = useLoaded(load, ['reviews'])
  const isApproved = value?.status === 'APPROVED'
  const failure = useRunWhenApproved(batch, isApproved, runApprovedBatch, reload)
  if (!isApproved)
    return (
      <span role="status">
        Nothing has run yet.{' '}
        {runsWhenApproved(batch)
          ? 'It runs as soon as it is approved, while this page is open.'
          : 'Once it is approved, run it here.'}
      </span>
    )
  return (
    <>
      <button class="primary" disabled={busy} onClick={onRun}>
        Run
      </button>
      {failure !== undefined && <Problem error={failure} />}
    </>
  )
}

function runApprovedBatch(id: string): Promise<unknown> {
  return ask('POST', `/api/batches/${encodeURIComponent(id)}/exec`)
}
