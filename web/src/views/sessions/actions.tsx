import { runApproved, stopSession } from '../../api/gateway.ts'
import { mayRun, person } from '../../api/person.ts'
import type { Session } from '../../api/types.ts'
import { useAction } from '../../parts/action.ts'
import { Problem } from '../../parts/messages.tsx'
import { batchPath, runbookPath } from '../../parts/paths.ts'
import { isApproved, isRunning, isWaiting } from './state.tsx'

interface ActionsProps {
  readonly session: Session
  readonly reload: () => void
}

/** What can be done with a session at the moment. */
export function Actions({ session, reload }: ActionsProps) {
  const { busy, error, act } = useAction(reload)
  const isOwner = session.user === person.value?.name
  const mayAct = mayRun() && (isOwner || person.value?.is_admin === true)
  const again = againPath(session)
  const batch = session.review?.batch
  return (
    <div class="actions">
      {mayAct && isRunning(session) && (
        <button class="danger" disabled={busy} onClick={() => act(() => stopSession(session.id))}>
          Stop
        </button>
      )}
      {mayAct && isWaiting(session) && (
        <button disabled={busy} onClick={() => act(() => stopSession(session.id))}>
          Withdraw
        </button>
      )}
      {mayAct && isApproved(session) && batch !== undefined && (
        <a class="button" href={batchPath(batch.id)}>
          Open the batch
        </a>
      )}
      {mayAct && isApproved(session) && session.verb !== 'connect' && batch === undefined && (
        <button class="primary" disabled={busy} onClick={() => act(() => runApproved(session.id))}>
          Run
        </button>
      )}
      {again !== undefined && mayRun() && !isRunning(session) && !isWaiting(session) && (
        <a class="button" href={again} data-shortcut="again">
          Run again
        </a>
      )}
      {error !== undefined && <Problem error={error} />}
    </div>
  )
}

/** The form of the runbook, with the same parameters. */
function againPath({ id, labels }: Session): string | undefined {
  const { runbookRepository: repository, runbookFile: file } = { ...labels }
  if (repository === undefined || file === undefined) return undefined
  return `${runbookPath(repository, file)}?again=${encodeURIComponent(id)}`
}
