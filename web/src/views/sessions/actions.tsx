import { useState } from 'preact/hooks'
import { runApproved, stopSession } from '../../api/gateway.ts'
import { mayRun, person } from '../../api/person.ts'
import type { Session } from '../../api/types.ts'
import { useAction } from '../../parts/action.ts'
import { sessionName } from '../../parts/called.ts'
import { DangerDialog } from '../../parts/danger-dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Problem } from '../../parts/messages.tsx'
import { batchPath, runbookPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { isApproved, isRunning, isWaiting } from './state.tsx'

interface ActionsProps {
  readonly session: Session
  readonly reload: () => void
}

export function Actions({ session, reload }: ActionsProps) {
  const { busy, error, act } = useAction(reload)
  const isOwner = session.user === person.value?.name
  const mayAct = mayRun() && (isOwner || person.value?.is_admin === true)
  const again = againPath(session)
  return (
    <>
      <div class="line push">
        {again !== undefined && mayRun() && hasEnded(session) && (
          <a class="button" href={again} data-shortcut="again">
            <Icon name="again" />
            Run again
          </a>
        )}
        {mayAct && isRunning(session) && (
          <StopButton session={session} busy={busy} onStop={() => act(() => stopSession(session.id))} />
        )}
        {mayAct && isWaiting(session) && (
          <button
            type="button"
            class="button"
            disabled={busy}
            onClick={() => act(() => stopSession(session.id))}
          >
            Withdraw
          </button>
        )}
        {mayAct && isApproved(session) && (
          <RunApproved session={session} busy={busy} onRun={() => act(() => runApproved(session.id))} />
        )}
      </div>
      {error !== undefined && <Problem error={error} />}
    </>
  )
}

function hasEnded(session: Session): boolean {
  return !isRunning(session) && !isWaiting(session) && !isApproved(session)
}

interface StopButtonProps {
  readonly session: Session
  readonly busy: boolean
  readonly onStop: () => void
}

/** Asks first, because a stopped command cannot be resumed. */
function StopButton({ session, busy, onStop }: StopButtonProps) {
  const [isAsking, setAsking] = useState(false)
  const close = () => setAsking(false)
  return (
    <>
      <button
        type="button"
        class="button is-danger"
        disabled={busy}
        // Hidden while the dialog is open, so that screen readers find only the dialog's "Stop".
        aria-hidden={isAsking}
        tabIndex={isAsking ? -1 : 0}
        onClick={() => setAsking(true)}
      >
        <Icon name="stop" />
        Stop
      </button>
      {isAsking && (
        <DangerDialog
          title={
            <>
              Stop <Name>{sessionName(session)}</Name>?
            </>
          }
          {...{ busy, error: undefined, keep: 'Let it run', icon: 'stop', action: 'Stop' }}
          onAct={() => {
            close()
            onStop()
          }}
          onClose={close}
        >
          <p>
            The command on <Name>{session.connection}</Name> ends immediately. Its effects so far are not
            undone, and its output so far is kept.
          </p>
        </DangerDialog>
      )}
    </>
  )
}

interface RunApprovedProps {
  readonly session: Session
  readonly busy: boolean
  readonly onRun: () => void
}

function RunApproved({ session, busy, onRun }: RunApprovedProps) {
  const batch = session.review?.batch
  if (batch !== undefined)
    return (
      <a class="button" href={batchPath(batch.id)}>
        Open the batch
      </a>
    )
  if (session.verb === 'connect') return null
  return (
    <button type="button" class="button is-primary" disabled={busy} onClick={onRun}>
      <Icon name="run" />
      Run
    </button>
  )
}

/** Returns the address of the runbook's form, with the same parameters. A first run runs again before its second one. */
function againPath({ id, labels }: Session): string | undefined {
  const { runbookRepository: repository, runbookFile: own, runbookFirstOf: file = own } = { ...labels }
  if (repository === undefined || file === undefined) return undefined
  return `${runbookPath(repository, file)}?again=${encodeURIComponent(id)}`
}
