import type { ListedSession } from '../../api/types.ts'

type Stateful = Pick<ListedSession, 'status' | 'exit_code' | 'review'>

export type SessionState = 'waiting' | 'approved' | 'running' | 'rejected' | 'success' | 'failed'

export function stateOf({ status, exit_code: code, review }: Stateful): SessionState {
  if (status === 'ready') return 'approved'
  if (status === 'open') return review?.status === 'PENDING' ? 'waiting' : 'running'
  if (review?.status === 'REJECTED' || review?.status === 'REVOKED') return 'rejected'
  return code === 0 ? 'success' : 'failed'
}

const WORDS: Readonly<Record<SessionState, string>> = {
  waiting: 'waits for approval',
  approved: 'approved',
  running: 'running',
  rejected: 'rejected',
  success: 'success',
  failed: 'failed',
}

/** In words, too: colours are not for everybody. */
export function SessionBadge({ session }: { readonly session: Stateful }) {
  const state = stateOf(session)
  const code = state === 'failed' && session.exit_code !== null ? ` (${session.exit_code})` : ''
  return (
    <span class={`badge badge-${state}`}>
      {WORDS[state]}
      {code}
    </span>
  )
}
