import { useCallback } from 'preact/hooks'
import { readSession, runApproved } from '../../api/gateway.ts'
import type { Session } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { visible, visibleLines } from '../../parts/visible.ts'
import { ReviewOfSession } from '../approvals/review-panel.tsx'
import { About } from './about.tsx'
import { useRunWhenApproved } from './asked.ts'
import { Ending } from './ending.tsx'
import { titleOf } from './list.tsx'
import { Actions } from './actions.tsx'
import { Replay } from './replay.tsx'
import { SessionOutput } from './session-output.tsx'
import { isApproved, isWaiting, StateBadge } from './state.tsx'

/** One session: what runs or ran, its output and its end. The address can be given to others. */
export default function SessionView({ id }: { readonly id: string }) {
  const load = useCallback((signal: AbortSignal) => readSession(id, signal), [id])
  const { value, error, reload } = useLoaded(load, ['sessions', 'reviews'])
  const failure = useRunWhenApproved(id, value?.status === 'ready', runApproved, reload)
  return (
    <section class="view">
      <p class="back">
        <a href="/sessions">All sessions</a>
      </p>
      {value === undefined && <h1>Session</h1>}
      {value === undefined && error === undefined && <Loading />}
      {error?.status === 404 && <NotShown />}
      {error !== undefined && error.status !== 404 && <Problem error={error} onRetry={reload} />}
      {failure !== undefined && <Problem error={failure} />}
      {value !== undefined && <Shown session={value} reload={reload} key={id} />}
    </section>
  )
}

function Shown({ session, reload }: { readonly session: Session; readonly reload: () => void }) {
  const hasRun = !isWaiting(session) && !isApproved(session)
  return (
    <>
      <h1>
        <bdi>{visible(titleOf(session))}</bdi> <StateBadge state={session.state} />
      </h1>
      <About session={session} />
      <Actions session={session} reload={reload} />
      {session.review !== null && <ReviewOfSession session={session} reload={reload} />}
      <Ending session={session} />
      {hasRun && session.verb !== 'connect' && <SessionOutput session={session} reload={reload} />}
      {hasRun && session.verb === 'connect' && <Replay session={session} />}
      <Script session={session} />
    </>
  )
}

/** The text is the same for a missing session and for one of others: nobody learns that it exists. */
function NotShown() {
  return (
    <Empty>
      There is no session at this address, or you may not see it. A session is shown to the user who ran it,
      to the groups that approve it, and to auditors and admins. If somebody has sent you this link, ask them
      for the output, or an admin for a role that may see it.
    </Empty>
  )
}

function Script({ session }: { readonly session: Session }) {
  const { data } = session.script
  if (data === '') return null
  return (
    <details open={isWaiting(session)}>
      <summary>Script</summary>
      <pre class="script" tabIndex={0} aria-label="Script">
        {visibleLines(data)}
      </pre>
    </details>
  )
}
