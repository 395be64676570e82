import { useCallback } from 'preact/hooks'
import { readSession, runApproved } from '../../api/gateway.ts'
import type { Session } from '../../api/types.ts'
import { fileOf, sessionName } from '../../parts/called.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { useTitle, type Mark } from '../../parts/title.ts'
import { Trail } from '../../parts/trail.tsx'
import { visible } from '../../parts/visible.ts'
import { ReviewOfSession } from '../approvals/review-panel.tsx'
import { SessionFacts } from './about.tsx'
import { Actions } from './actions.tsx'
import { useRunWhenApproved } from './asked.ts'
import { CutOffNote } from './cut-off-note.tsx'
import { Ending } from './ending.tsx'
import { PairNote } from './pair-note.tsx'
import { isApproved, isBad, isDecided, isRunning, isWaiting, isWithdrawn, StateBadge } from './state.tsx'
import { RunTabs } from './tabs.tsx'
import { AgentNote, LockNote } from './waits.tsx'
import './run.css'

const LIST = { href: '/sessions', list: 'Sessions', label: 'All sessions' }

export default function SessionView({ id }: { readonly id: string }) {
  const load = useCallback((signal: AbortSignal) => readSession(id, signal), [id])
  const { value, error, reload } = useLoaded(load, ['sessions', 'reviews'])
  useTitle(value === undefined ? undefined : windowNameOf(value), markOf(value))
  const failure = useRunWhenApproved(id, value?.status === 'ready', runApproved, reload)
  return (
    <section class="view run-view">
      {value === undefined && <Trail {...LIST} />}
      {value === undefined && <h1>Session</h1>}
      {value === undefined && error === undefined && <Loading />}
      {error?.status === 404 && <NotShown />}
      {error !== undefined && error.status !== 404 && <Problem error={error} onRetry={reload} />}
      {failure !== undefined && <Problem error={failure} />}
      {value !== undefined && <Shown session={value} reload={reload} key={id} />}
    </section>
  )
}

/**
 * Returns the name of the window, such as `Refund an order failed (7)`. Users recognize the session among
 * many tabs by its state.
 */
function windowNameOf(session: Session): string {
  return visible(`${sessionName(session)} ${session.state.text}`)
}

function markOf(session: Session | undefined): Mark | undefined {
  if (session === undefined) return undefined
  if (isRunning(session)) return 'running'
  return isBad(session) ? 'failed' : undefined
}

function Shown({ session, reload }: { readonly session: Session; readonly reload: () => void }) {
  const isAsked = isWaiting(session) || isApproved(session)
  return (
    <>
      <header class="head">
        <Trail {...LIST} file={fileOf(session)} />
        <h1>
          <Name>{sessionName(session)}</Name> <StateBadge state={session.state} />
        </h1>
        <Actions session={session} reload={reload} />
      </header>
      <SessionFacts session={session} reload={reload} />
      <LockNote session={session} />
      <AgentNote session={session} />
      {isDecided(session) || <ReviewOfSession session={session} reload={reload} />}
      <Ending session={session} />
      <CutOffNote session={session} />
      {isAsked || <RunTabs session={session} hasRun={!isWithdrawn(session)} reload={reload} />}
      {isAsked || <PairNote session={session} />}
    </>
  )
}

/** The text does not reveal whether the session does not exist or the user may not see it. */
function NotShown() {
  return (
    <Empty icon="sessions" title="This session does not exist, or you have no access to it.">
      A session is shown to its user, to the groups that approve it, to auditors and to admins. If you
      received this link from another person, ask that person for the output, or ask an admin for a role that
      may see the session.
    </Empty>
  )
}
