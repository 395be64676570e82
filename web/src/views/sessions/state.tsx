import type { ListedSession } from '../../api/types.ts'
import { Moment } from '../../parts/moment.tsx'
import { State, type StateKind } from '../../parts/state.tsx'
import { visible } from '../../parts/visible.ts'

type Stateful = Pick<ListedSession, 'state'>
type StateName = ListedSession['state']['name']

/** States before the end, and ends that people wanted; all others are ends that somebody should look at. */
const KINDS: Readonly<Partial<Record<StateName, StateKind>>> = {
  'waiting-for-approval': 'waiting',
  'waiting-for-lock': 'waiting',
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

/** Ends that people wanted, and those that nobody has to look into. */
const NEUTRAL: readonly StateKind[] = ['succeeded', 'closed', 'stopped', 'withdrawn']

/** The gateway's words: colours are not for everybody. */
export function StateBadge({ state: { name, text, since } }: Stateful) {
  return (
    <State kind={KINDS[name] ?? 'failed'}>
      <bdi>{visible(text)}</bdi>
      {since !== null && (
        <>
          {' '}
          since <Moment at={since} />
        </>
      )}
    </State>
  )
}

/** Whether the session has ended in a way that somebody should look at. */
export function isBad({ state: { name } }: Stateful): boolean {
  const kind = KINDS[name]
  return kind === undefined || (!isOpen(name) && !NEUTRAL.includes(kind))
}

function isOpen(name: StateName): boolean {
  return (
    name === 'waiting-for-approval' ||
    name === 'waiting-for-lock' ||
    name === 'approved' ||
    name === 'running'
  )
}

/** Whether the session runs, or waits for a lock: then it can be stopped. */
export function isRunning({ state: { name } }: Stateful): boolean {
  return name === 'running' || name === 'waiting-for-lock'
}

export function isWaiting({ state: { name } }: Stateful): boolean {
  return name === 'waiting-for-approval'
}

export function isApproved({ state: { name } }: Stateful): boolean {
  return name === 'approved'
}

/** Whether the approval led to a run: then it is one of the facts, and nothing is left to decide or to explain. */
export function isDecided({ review }: Pick<ListedSession, 'review'>): boolean {
  return review === null || review.status === 'EXECUTED' || review.status === 'PROCESSING'
}
