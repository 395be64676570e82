import type { ListedSession } from '../../api/types.ts'
import { Moment } from '../../parts/moment.tsx'
import { visible } from '../../parts/visible.ts'

type Stateful = Pick<ListedSession, 'state'>
type StateName = ListedSession['state']['name']

/** States before the end, and ends that people wanted; all others are ends that somebody should look at. */
const KINDS: Readonly<Partial<Record<StateName, string>>> = {
  'waiting-for-approval': 'waiting',
  'waiting-for-lock': 'waiting',
  approved: 'approved',
  running: 'running',
  succeeded: 'succeeded',
  closed: 'closed',
  stopped: 'closed',
  withdrawn: 'closed',
}

/** The gateway's words: colours are not for everybody. */
export function StateBadge({ state: { name, text, since } }: Stateful) {
  return (
    <span class={`badge badge-${KINDS[name] ?? 'failed'}`}>
      <bdi>{visible(text)}</bdi>
      {since !== null && (
        <>
          {' '}
          since <Moment at={since} />
        </>
      )}
    </span>
  )
}

/** Whether the session has ended in a way that somebody should look at. */
export function isBad({ state: { name } }: Stateful): boolean {
  return KINDS[name] === undefined
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
