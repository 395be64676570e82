import { useCallback, useState } from 'preact/hooks'
import { readReview } from '../../api/gateway.ts'
import { mayRun, person } from '../../api/person.ts'
import { ask } from '../../api/request.ts'
import type { Batch } from '../../api/types.ts'
import { useAction } from '../../parts/action.ts'
import { DangerDialog } from '../../parts/danger-dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Problem } from '../../parts/messages.tsx'

interface BatchActionsProps {
  readonly batch: Batch
  readonly reload: () => void
}

export function BatchActions({ batch, reload }: BatchActionsProps) {
  const { busy, error, act } = useAction(reload)
  const [isAsking, setAsking] = useState(false)
  const running = batch.runs.filter((run) => run.status === 'running').length
  const { id, status, owner, review } = batch
  const mayAct = mayRun() && (owner === person.value?.name || person.value?.is_admin === true)
  if (!mayAct || status === 'done' || status === 'stopped') return null
  const stop = (body: { readonly kill?: true }) =>
    act(() => ask('POST', `/api/batches/${encodeURIComponent(id)}/stop`, { body }))
  return (
    <>
      <div class="line push">
        {status === 'waiting' && review !== null && (
          <RunApproved {...{ review: review.id, busy }} onRun={() => act(() => runApprovedBatch(id))} />
        )}
        <button type="button" class="button" disabled={busy} onClick={() => stop({})}>
          {status === 'waiting' ? 'Withdraw' : 'Start no more runs'}
        </button>
        {status === 'running' && (
          <button type="button" class="button is-danger" disabled={busy} onClick={() => setAsking(true)}>
            <Icon name="stop" />
            Stop all runs
          </button>
        )}
      </div>
      {isAsking && status === 'running' && (
        <DangerDialog
          title={running === 1 ? 'Stop the run?' : `Stop ${running} runs?`}
          {...{ busy, error: undefined, keep: 'Let them run', icon: 'stop', action: 'Stop all runs' }}
          onAct={() => {
            setAsking(false)
            stop({ kill: true })
          }}
          onClose={() => setAsking(false)}
        >
          <p>
            The commands end immediately, and no further run begins. What the commands have done so far is not
            undone, and their output so far is kept.
          </p>
        </DangerDialog>
      )}
      {error !== undefined && <Problem error={error} />}
    </>
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
      <span class="soft small" role="status">
        Nothing has run yet.{' '}
        {value?.when_approved === true
          ? 'The batch runs as soon as it is approved, also when this page is closed.'
          : 'Run the batch here after it is approved.'}
      </span>
    )
  return (
    <button type="button" class="button is-primary" disabled={busy} onClick={onRun}>
      <Icon name="run" />
      Run
    </button>
  )
}

function runApprovedBatch(id: string): Promise<unknown> {
  return ask('POST', `/api/batches/${encodeURIComponent(id)}/exec`)
}
