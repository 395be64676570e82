import { useCallback } from 'preact/hooks'
import { readReview } from '../../api/gateway.ts'
import { mayRun, person } from '../../api/person.ts'
import { ask } from '../../api/request.ts'
import type { Batch } from '../../api/types.ts'
import { useAction } from '../../parts/action.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Problem } from '../../parts/messages.tsx'

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
        <RunApproved {...{ review: review.id, busy }} onRun={() => act(() => runApprovedBatch(id))} />
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
  readonly review: string
  readonly busy: boolean
  readonly onRun: () => void
}

function RunApproved({ review, busy, onRun }: RunApprovedProps) {
  const load = useCallback((signal: AbortSignal) => readReview(review, signal), [review])
  const { value } = useLoaded(load, ['reviews'])
  const isApproved = value?.status === 'APPROVED'
  if (!isApproved)
    return (
      <span role="status">
        Nothing has run yet.{' '}
        {value?.when_approved === true
          ? 'It runs as soon as it is approved, also when this page is closed.'
          : 'Once it is approved, run it here.'}
      </span>
    )
  return (
    <button class="primary" disabled={busy} onClick={onRun}>
      Run
    </button>
  )
}

function runApprovedBatch(id: string): Promise<unknown> {
  return ask('POST', `/api/batches/${encodeURIComponent(id)}/exec`)
}
