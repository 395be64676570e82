import { hasFailed, type Batch, type BatchRun, type BatchState } from './batch.ts'
import { failuresOf } from './failures.ts'
import { groupsOf, type GroupDifference, type RunGroup } from './comparison.ts'
import { notRecorded } from './retry.ts'
import { mayRetry, retryGroup, traceOf } from './retry-group.ts'
import { stateView } from '../sessions/session-state.ts'
import type {
  BatchAnswer,
  BatchDifferences,
  BatchGroup,
  BatchRunAnswer,
  ListedBatch,
} from '../../contract/batches.ts'
import type { StateAnswer } from '../../contract/session-state.ts'
import type { History } from '../history/history.ts'
import type { SessionSummary } from '../history/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { timeOf } from '../identity.ts'

interface Viewing {
  readonly history: History
  readonly sessions: Sessions
}

export function listedBatch(services: Viewing, { batch, runs }: BatchState): ListedBatch {
  const { review, warning } = batch
  return {
    id: batch.id,
    status: batch.status,
    owner: batch.owner,
    created_at: new Date(batch.createdAt).toISOString(),
    started_at: timeOf(batch.startedAt),
    ended_at: timeOf(batch.endedAt),
    repository: batch.repository,
    file_name: batch.file,
    ...(batch.title !== undefined && { runbook_title: batch.title }),
    commit: batch.commit,
    parameters: JSON.parse(batch.parameters) as ListedBatch['parameters'],
    metadata: batch.metadata,
    waves: batch.waves,
    parallel: batch.parallel,
    threshold: batch.threshold,
    stop: batch.stop ?? null,
    review:
      review === undefined
        ? null
        : {
            id: review.id,
            session_id: review.session,
            state: stateOfSession(services, services.history.session(review.session)),
            ...(review.whenApproved === true && { when_approved: true as const }),
          },
    counts: countsOf(runs),
    ...(warning !== undefined && { warning }),
    retry_of: batch.retryOf ?? null,
    retried_by: batch.retriedBy ?? null,
  }
}

export function batchView(services: Viewing, state: BatchState): BatchAnswer {
  return {
    ...listedBatch(services, state),
    runs: state.runs.map((run) => runView(services, state.batch, run)),
    groups: groupsOf(state.runs).map(groupView),
    not_recorded: notRecorded(state.batch),
  }
}

/** Returns the usual result, and the differences of other results from the usual result. */
export function differencesView(
  { history }: Pick<Viewing, 'history'>,
  { batch, runs }: BatchState,
  found: readonly GroupDifference[],
): BatchDifferences {
  const groups = groupsOf(runs)
  const [usual, ...others] = groups
  const count = (some: readonly RunGroup[]) => some.reduce((sum, group) => sum + group.runs.length, 0)
  return {
    id: batch.id,
    same: usual === undefined ? 0 : count([usual]),
    differ: count(others),
    usual: usual === undefined ? null : groupView(usual),
    differences: found.map(({ group, diff, note }) => ({
      ...groupView(group),
      diff: diff ?? null,
      note: note ?? null,
    })),
    more_groups: others.length - found.length,
    failures: failuresOf(history, runs),
  }
}

/** Returns null if the session is not, or no longer, in the history. */
function stateOfSession({ sessions }: Viewing, session: SessionSummary | undefined): StateAnswer | null {
  return session === undefined ? null : stateView(sessions.stateOf(session))
}

function runView(services: Viewing, batch: Batch, run: BatchRun): BatchRunAnswer {
  const { code, message } = run
  const session = run.session === undefined ? undefined : services.history.session(run.session)
  return {
    connection: run.connection,
    wave: run.wave,
    status: run.status,
    state: stateOfSession(services, session),
    session_id: run.session ?? null,
    exit_code: run.exitCode ?? null,
    started_at: timeOf(run.startedAt),
    began_at: session?.beganAt?.toISOString() ?? null,
    ended_at: timeOf(run.endedAt),
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
    retry_group: (mayRetry(batch) ? retryGroup(run, traceOf(services, session)) : undefined) ?? null,
  }
}

function groupView({ runs }: RunGroup): BatchGroup {
  const [first] = runs
  const code = first?.code
  return {
    exit_code: first?.exitCode ?? null,
    ...(code !== undefined && { code }),
    count: runs.length,
    connections: runs.map(({ connection }) => connection),
  }
}

function countsOf(runs: readonly BatchRun[]): ListedBatch['counts'] {
  const count = (status: BatchRun['status']) => runs.filter((run) => run.status === status).length
  return {
    total: runs.length,
    succeeded: count('succeeded'),
    failed: runs.filter(hasFailed).length,
    stopped: count('stopped'),
    running: count('running'),
    not_begun: count('not-begun'),
  }
}
