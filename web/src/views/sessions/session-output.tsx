import { useEffect, useMemo, useState } from 'preact/hooks'
import type { StreamState } from '../../api/event-stream.ts'
import { asRefused, type Refused } from '../../api/request.ts'
import type { Session } from '../../api/types.ts'
import { followOutput } from '../../output/follow.ts'
import { OutputView } from '../../output/output-view.tsx'
import { OutputRecord } from '../../output/record.ts'
import { Empty, Note, Problem } from '../../parts/messages.tsx'
import { bytesText } from '../../parts/moment.tsx'
import { StdoutText } from '../../result/stdout-text.ts'
import { StderrText } from './stderr-text.ts'
import { downloadName } from './file-name.ts'

interface SessionOutputProps {
  readonly session: Session
  readonly output: SessionOutput
}

export function SessionOutput({ session, output }: SessionOutputProps) {
  const { id, status } = session
  const { record, state, missing, error } = output
  const isRunning = status !== 'done'
  const hasNothing = !isRunning && state === 'over' && record.rowCount === 0
  return (
    <>
      {state === 'lost' && (
        <Note tone="wait" role="status" title="The connection to the gateway is lost">
          The page reconnects automatically. No output is lost.
        </Note>
      )}
      {missing > 0 && (
        <Note tone="wait">{bytesText(missing)} of output could not be recorded and are missing here.</Note>
      )}
      {error?.status === 404 && <Empty icon="eye">You may see this session, but not its output.</Empty>}
      {error !== undefined && error.status !== 404 && <Problem error={error} />}
      {hasNothing ? (
        <Empty icon="terminal" title="This run has written no output.">
          The line above shows how the run ended.
        </Empty>
      ) : (
        error?.status !== 404 && (
          <OutputView
            {...{
              id,
              record,
              isRunning,
              fileName: downloadName(session, 'txt'),
            }}
            isReading={!isRunning && state !== 'over'}
          />
        )
      )}
    </>
  )
}

export interface SessionOutput {
  readonly record: OutputRecord
  readonly stdout: StdoutText
  readonly stderr: StderrText
  readonly state: StreamState
  /** Number of bytes that the gateway could not record. */
  readonly missing: number
  readonly error: Refused | undefined
}

/** `reload` is called after the end of the stream, when the session has an exit code. */
export function useOutput(id: string, reload: () => void): SessionOutput {
  const [record, stdout, stderr] = useMemo(
    () => [new OutputRecord(''), new StdoutText(), new StderrText()] as const,
    [id],
  )
  const [state, setState] = useState<StreamState>('connecting')
  const [missing, setMissing] = useState(0)
  const [error, setError] = useState<Refused | undefined>(undefined)
  useEffect(() => {
    const ended = new AbortController()
    const watching = {
      state: setState,
      missing: setMissing,
      output: (event: Parameters<StdoutText['add']>[0]) => {
        stdout.add(event)
        stderr.add(event)
      },
    }
    followOutput(id, record, watching, ended.signal).then(
      () => !ended.signal.aborted && reload(),
      (failure: unknown) => ended.signal.aborted || setError(asRefused(failure)),
    )
    return () => ended.abort()
  }, [id, record, stdout, stderr, reload])
  return { record, stdout, stderr, state, missing, error }
}
