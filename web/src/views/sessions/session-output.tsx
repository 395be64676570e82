import { useEffect, useMemo, useState } from 'preact/hooks'
import type { StreamState } from '../../api/event-stream.ts'
import { asRefused, type Refused } from '../../api/request.ts'
import type { Session } from '../../api/types.ts'
import { followOutput } from '../../output/follow.ts'
import { OutputView } from '../../output/output-view.tsx'
import { OutputRecord } from '../../output/record.ts'
import { Empty, Problem } from '../../parts/messages.tsx'
import { bytesText } from '../../parts/moment.tsx'

interface SessionOutputProps {
  readonly session: Session
  readonly reload: () => void
}

/** What it writes, as it comes. */
export function SessionOutput({ session, reload }: SessionOutputProps) {
  const { id, status } = session
  const { record, state, missing, error } = useOutput(id, reload)
  const isRunning = status !== 'done'
  return (
    <section class="session-output">
      <p role="status" class="stream-state">
        {state === 'lost' && 'The connection to the gateway is lost. It is tried again; nothing is missed.'}
      </p>
      {missing > 0 && (
        <p class="warning">{bytesText(missing)} of output could not be recorded and are missing.</p>
      )}
      {error?.status === 404 && <Empty>You may look at this session, and not at what it writes.</Empty>}
      {error !== undefined && error.status !== 404 && <Problem error={error} />}
      <OutputView {...{ id, record, isRunning }} isReading={!isRunning && state !== 'over'} />
      {!isRunning && state === 'over' && record.rowCount === 0 && (
        <Empty>It has written nothing. The exit code above says how it went.</Empty>
      )}
    </section>
  )
}

/** @param reload when the stream is over, the session has an exit code */
function useOutput(id: string, reload: () => void) {
  const record = useMemo(() => new OutputRecord(''), [id])
  const [state, setState] = useState<StreamState>('connecting')
  const [missing, setMissing] = useState(0)
  const [error, setError] = useState<Refused | undefined>(undefined)
  useEffect(() => {
    const ended = new AbortController()
    followOutput(id, record, { state: setState, missing: setMissing }, ended.signal).then(
      () => !ended.signal.aborted && reload(),
      (failure: unknown) => ended.signal.aborted || setError(asRefused(failure)),
    )
    return () => ended.abort()
  }, [id, record, reload])
  return { record, state, missing, error }
}
