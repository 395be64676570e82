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
  const post = (what: string, body?: unknown) =>
    act(() =>
      ask('POST', `/api/batches/${encodeURIComponent(id)}/${what}`, body === undefined ? {} : { body }),
    )
  return (
    <div class="actions">
      {status === 'waiting' && review !== null && (
        <RunApproved review={review.id} busy={busy} onRun={() => post('exec')} />
      )}
      <button disabled={busy} onClick={() => post('stop', {})}>
        Begin no more
      </button>
      {status === 'running' && (
        <button class="danger" disabled={busy} onClick={() => post('stop', { kill: true })}>
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
  if (value?.status !== 'APPROVED')
    return <span role="status">Nothing has run yet: it waits for approval.</span>
  return (
    <button class="primary" disabled={busy} onClick={onRun}>
      Run
    </button>
  )
}
