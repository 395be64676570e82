import type { SessionSummary } from '../history/session.ts'
import type { Review } from '../reviews/review.ts'
import { endStatus, type Batch, type BatchRun, type BatchState, type BatchStop } from './batch.ts'

interface BatchTraces {
  readonly session: (id: string) => SessionSummary | undefined
  readonly review: (id: string) => Review | undefined
}

/**
 * Corrects the state of a batch that no process runs. Interrupted runs get the ends of their sessions, and
 * the other runs never begin. Returns the same object if nothing changes.
 */
export function settled(state: BatchState, traces: BatchTraces): BatchState {
  const { status, review } = state.batch
  if (status === 'waiting') return withDecision(state, review && traces.review(review.id))
  return status === 'running' ? interrupted(state, traces) : state
}

/** @param review undefined if the review and the session of the first run were removed */
function withDecision(state: BatchState, review: Review | undefined): BatchState {
  if (review?.status === 'PENDING' || review?.status === 'APPROVED') return state
  const reason = review?.rejectionReason
  const refused = `its approval was rejected${reason === undefined ? '' : `: ${reason}`}`
  // A review can also be `REVOKED` because its approved batch could not begin. In this case, no reviewer
  // rejected it, so the reason is shown without `rejected`.
  const message = review?.status === 'REVOKED' ? (reason ?? refused) : refused
  return { ...state, batch: stopped(state.batch, { reason: 'rejected', message }) }
}

function interrupted({ batch, runs }: BatchState, { session }: BatchTraces): BatchState {
  const ended = runs.map((run) => (run.status === 'running' ? withEnd(run, session(run.session ?? '')) : run))
  if (ended.every(({ status }) => status !== 'not-begun'))
    return { batch: { ...batch, status: 'done', endedAt: lastEnd(batch, ended) }, runs: ended }
  const stop = batch.stop ?? {
    reason: 'gateway-stopped',
    message: 'the gateway was stopped while the batch ran',
  }
  return { batch: { ...stopped(batch, stop), endedAt: lastEnd(batch, ended) }, runs: ended }
}

function withEnd(run: BatchRun, session: SessionSummary | undefined): BatchRun {
  if (session === undefined)
    return {
      ...run,
      status: 'unknown',
      message: 'the gateway was killed when the run started, so nothing of the run is recorded',
    }
  const { exitCode, endedAt, cause } = session
  return {
    ...run,
    status: endStatus(exitCode, cause?.code),
    ...(exitCode !== undefined && { exitCode }),
    ...(endedAt !== undefined && { endedAt: endedAt.getTime() }),
  }
}

function stopped(batch: Batch, stop: BatchStop): Batch {
  return { ...batch, status: 'stopped', stop }
}

function lastEnd({ createdAt }: Batch, runs: readonly BatchRun[]): number {
  return Math.max(createdAt, ...runs.map(({ endedAt = 0 }) => endedAt))
}
