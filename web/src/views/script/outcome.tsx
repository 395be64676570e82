import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import { readSession } from '../../api/gateway.ts'
import type { Session } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Loading, Note, Problem } from '../../parts/messages.tsx'
import { approvalPath, sessionPath } from '../../parts/paths.ts'
import { query } from '../../parts/router.ts'
import { visible } from '../../parts/visible.ts'
import { Actions } from '../sessions/actions.tsx'
import { Ending } from '../sessions/ending.tsx'
import { isApproved, isWaiting, isWithdrawn, StateBadge } from '../sessions/state.tsx'
import { RunTabs, type TabName } from '../sessions/tabs.tsx'
import { AgentNote } from '../sessions/waits.tsx'
import { lineInText, sqlErrorIn } from './error-place.ts'
import '../sessions/run.css'

interface OutcomeProps {
  readonly id: string
  /** Returns the text in the editor. */
  readonly text: () => string
  /** Changes with the text. */
  readonly version: number
  /** Called with the line of the editor that failed; undefined if there is none, or it is not certain. */
  readonly onFailedLine: (line: number | undefined) => void
}

/** Shows the session of the last run, by the parts of the session's own view. */
export function Outcome({ id, ...editor }: OutcomeProps) {
  const load = useCallback((signal: AbortSignal) => readSession(id, signal), [id])
  const { value, error, reload } = useLoaded(load, ['sessions', 'reviews'])
  return (
    <section class="script-outcome run-view" aria-labelledby="outcome">
      <div class="line">
        <h2 id="outcome">Result</h2>
        {value !== undefined && <StateBadge state={value.state} />}
        {value !== undefined && <code class="outcome-of">{visible(firstLineOf(value.script.data))}</code>}
        <span class="push" />
        {value !== undefined && <Actions session={value} reload={reload} />}
        <a class="button is-quiet is-small" href={sessionPath(id)}>
          <Icon name="sessions" small />
          The session
        </a>
      </div>
      {value === undefined && error === undefined && <Loading />}
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value !== undefined && <Shown session={value} reload={reload} {...editor} key={id} />}
    </section>
  )
}

/** The editor may have another text by now. */
function firstLineOf(script: string): string {
  return script.trimStart().split('\n', 1)[0]?.slice(0, 200) ?? ''
}

interface ShownProps extends Omit<OutcomeProps, 'id'> {
  readonly session: Session
  readonly reload: () => void
}

function Shown({ session, reload, text, version, onFailedLine }: ShownProps) {
  const [stderr, setStderr] = useState('')
  const script = session.script.data
  const failed = useMemo(() => sqlErrorIn(stderr, script), [stderr, script])
  const line = failed?.line === undefined ? undefined : lineInText(text(), script, failed.line)
  useEffect(() => onFailedLine(line), [line, version])
  useEffect(() => () => onFailedLine(undefined), [])
  const hasBegun = !isWaiting(session) && !isApproved(session)
  return (
    <>
      <AgentNote session={session} />
      {!hasBegun && (
        <Note tone="wait" role="status" title="Nothing has run yet">
          The gateway runs the script as soon as it is approved, also when this page is closed.{' '}
          <a href={approvalPath(session.id)}>Look at the request.</a>
        </Note>
      )}
      <Ending session={session} />
      {failed !== undefined && (
        <Note
          tone="bad"
          role="status"
          title={`Error in ${line === undefined ? failed.place : `line ${line}`}${failed.line !== undefined && line === undefined ? ' of the script that ran' : ''}: ${visible(failed.message)}`}
        />
      )}
      {hasBegun && (
        <RunTabs
          session={session}
          hasRun={!isWithdrawn(session)}
          reload={reload}
          place={{ addressOf, onStderr: setStderr }}
        />
      )}
    </>
  )
}

/** The tab is a part of the address, as in the view of a session. */
function addressOf(tab: TabName): string {
  const next = new URLSearchParams(query.peek())
  next.set('tab', tab)
  return `/run?${next.toString()}`
}
