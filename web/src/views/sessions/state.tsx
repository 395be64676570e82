import type { ListedSession } from '../../api/types.ts'
import { ExactMoment, TimeLeft } from '../../parts/moment.tsx'
import { State, type StateKind } from '../../parts/state.tsx'
import { visible } from '../../parts/visible.ts'

type Stateful = Pick<ListedSession, 'state'>
type StateName = ListedSession['state']['name']

/** A state that is missing here is shown as failed. */
const KIND_OF_STATE: Readonly<Partial<Record<StateName, StateKind>>> = {
  'waiting-for-approval': 'waiting',
  'waiting-for-lock': 'waiting',
  'waiting-for-agent': 'waiting',
  approved: 'approved',
  running: 'running',
  succeeded: 'succeeded',
  closed: 'closed',
  stopped: 'stopped',
  withdrawn: 'withdrawn',
  expired: 'expired',
  rejected: 'rejected',
  revoked: 'rejected',
}

export function kindOfState({ name }: ListedSession['state']): StateKind {
  return KIND_OF_STATE[name] ?? 'failed'
}

/** Ends that need no attention. */
const NEUTRAL: readonly StateKind[] = ['succeeded', 'closed', 'stopped', 'withdrawn']

/** Shows an icon and the gateway's text for the state, because not all people can see colours. */
export function StateBadge({ state }: Stateful) {
  const { text, since, until } = state
  return (
    <State kind={kindOfState(state)}>
      <bdi>{visible(text)}</bdi>
      {since !== null && (
        <>
          {' '}
          since <ExactMoment at={since} />
        </>
      )}
      {until !== null && (
        <>
          , <TimeLeft until={until} />
        </>
      )}
    </State>
  )
}

/** Whether the session has ended in a way that needs attention. */
export function isBad({ state: { name } }: Stateful): boolean {
  const kind = KIND_OF_STATE[name]
  return kind === undefined || (!isOpen(name) && !NEUTRAL.includes(kind))
}

function isOpen(name: StateName): boolean {
  return (
    name === 'waiting-for-approval' ||
    name === 'waiting-for-lock' ||
    name === 'waiting-for-agent' ||
    name === 'approved' ||
    name === 'running'
  )
}

/** Whether the session runs, or waits for a lock or the agent. In these states it can be stopped. */
export function isRunning({ state: { name } }: Stateful): boolean {
  return name === 'running' || name === 'waiting-for-lock' || name === 'waiting-for-agent'
}

export function isWaiting({ state: { name } }: Stateful): boolean {
  return name === 'waiting-for-approval'
}

export function isApproved({ state: { name } }: Stateful): boolean {
  return name === 'approved'
}

/** Whether the session was withdrawn before it ran. Such a session has no output. */
export function isWithdrawn({ state: { name } }: Stateful): boolean {
  return name === 'withdrawn'
}

/**
 * Whether the session needed no approval or started after it. Then the facts contain the approval, and the
 * page shows no review panel.
 */
export function isDecided({ review }: Pick<ListedSession, 'review'>): boolean {
  return review === null || review.status === 'EXECUTED' || review.status === 'PROCESSING'
}
