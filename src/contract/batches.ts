import * as v from 'valibot'
import { GATEWAY_CODES } from '../wire/gateway-codes.ts'
import {
  BatchBodyShape,
  NotRecordedShape,
  RETRY_GROUPS,
  RetryBodyShape,
  StopShape,
} from './batch-requests.ts'
import { OF_CHOICES } from './executions.ts'
import { needed, type Contract, type Frozen } from './contract.ts'
import { StateShape } from './session-state.ts'
import { about, moment, text, time, wholeCount } from './words.ts'

const exitCode = v.nullable(v.pipe(v.number(), v.integer()))
const code = v.optional(v.picklist(GATEWAY_CODES))

const listed = {
  id: needed(about('id of the batch, and `session_batch_id` of its sessions', text)),
  status: needed(
    about(
      'waiting: the batch waits for approval, or is approved and has not run yet; running: the batch runs; done: all runs have ended; stopped: some runs never begin (see `stop`)',
      v.picklist(['waiting', 'running', 'done', 'stopped']),
    ),
  ),
  owner: about('name of the user who owns the batch', text),
  created_at: about('when the batch was requested', moment),
  started_at: about('when the batch began to run; null before, and if the batch never ran', time),
  ended_at: about('when the last run ended; null before, and if the batch never ran', time),
  repository: about('key of the repository of the runbook, or the name of a local folder', text),
  file_name: about('path of the runbook', text),
  runbook_title: about(
    'title of the runbook at the time of the request; missing if the runbook had no title',
    v.optional(text),
  ),
  commit: about('full id of the commit from which the runbook was read', text),
  parameters: about(
    'parameters of the runbook; the value of a secret parameter is `[not recorded]`',
    v.record(v.string(), text),
  ),
  metadata: about('`metadata` of the request', v.record(v.string(), v.unknown())),
  waves: about('number of runs in each wave, in the order of the waves', v.array(wholeCount)),
  parallel: about('maximum number of runs at the same time', wholeCount),
  threshold: about(
    'number of runs that failed or were stopped after which no further run begins',
    wholeCount,
  ),
  stop: about(
    'why the remaining runs never begin; set as soon as the batch stops, even if some runs continue; null otherwise',
    v.nullable(
      v.strictObject({
        reason: about(
          'threshold: too many runs failed or were stopped; user: a user stopped the batch; rejected: the request was rejected, or the approval was revoked or has expired; outside-time-window: the approval does not allow runs at this time of day; not-permitted: the owner may no longer run the runbook; history: the history could not be written; gateway-stopped: the gateway was stopped or killed',
          v.picklist([
            'threshold',
            'user',
            'rejected',
            'outside-time-window',
            'not-permitted',
            'history',
            'gateway-stopped',
          ]),
        ),
        message: about('the reason in words', text),
      }),
    ),
  ),
  review: about(
    'the review of all runs of the batch; null if the batch needed no approval',
    v.nullable(
      v.strictObject({
        id: about('id of the review', text),
        session_id: needed(about('id of the session of the first run', text)),
        state: about(
          'state of the session of the first run; null if the record of the session was removed',
          v.nullable(StateShape),
        ),
        when_approved: about(
          'true if the gateway runs the batch as soon as it is approved; missing otherwise',
          v.optional(v.literal(true)),
        ),
      }),
    ),
  ),
  // Clients decide by these counts whether a batch has succeeded.
  counts: needed(
    about(
      'number of runs by their status',
      v.strictObject({
        total: needed(about('all runs', wholeCount)),
        succeeded: needed(about('runs with exit code 0', wholeCount)),
        failed: about('runs that failed, could not begin, or have the status `unknown`', wholeCount),
        stopped: about(
          'runs whose session somebody stopped; missing in answers of older versions',
          v.optional(wholeCount),
        ),
        running: about('runs that have begun and have not ended', wholeCount),
        not_begun: about('runs that have not begun', wholeCount),
      }),
    ),
  ),
  warning: about(
    'set if the runbook comes from an old copy, because its repository could not be read',
    v.optional(text),
  ),
  retry_of: about(
    'id of the batch whose connections this batch runs again; null otherwise',
    v.nullable(text),
  ),
  retried_by: about(
    'id of the batch that runs connections of this batch again; null if there is none',
    v.nullable(text),
  ),
}

const RunShape = v.strictObject({
  connection: needed(about('name of the connection', text)),
  wave: about('number of the wave of the run, from 1', wholeCount),
  status: needed(
    about(
      'failed: the run could not begin, or ended with an exit code other than 0 or with no exit code; stopped: somebody stopped the session of the run; unknown: the gateway was killed when the run began, so nothing is recorded',
      v.picklist(['not-begun', 'running', 'succeeded', 'failed', 'stopped', 'unknown']),
    ),
  ),
  state: about('state of the session; null if the run has no session', v.nullable(StateShape)),
  session_id: about(
    'id of the session; null before the run begins, and if the run could not begin',
    v.nullable(text),
  ),
  exit_code: about(
    'exit code of the command; null until the end, and if the command has no exit code',
    exitCode,
  ),
  started_at: about(
    'when the batch started the run, which may then wait for a lock or the agent; null before',
    time,
  ),
  began_at: about(
    '`began_at` of the session: when the command began; null if it has not begun, or the session is no longer recorded',
    v.optional(time),
  ),
  ended_at: about('when the run ended; null before', time),
  code: about('code of the reason why the gateway refused or ended the run; missing otherwise', code),
  message: about('the reason in words; missing if there is no reason', v.optional(text)),
  retry_group: about(
    'group of the run in a retry of the ended batch. failed: the command ended by itself with a failure; never-began: the agent got no script; may-have-run: the command may have had an effect, because it was ended from outside, or its end is not known; null: the run succeeded, or the batch cannot be retried',
    v.optional(v.nullable(v.picklist(RETRY_GROUPS))),
  ),
})

const group = {
  exit_code: about('exit code of these runs; null if these runs have no exit code', exitCode),
  code: about('code of the reason why the gateway refused or ended these runs; missing otherwise', code),
  count: about('number of these runs', wholeCount),
  connections: about('names of the connections of these runs', v.array(text)),
}
const GroupShape = v.strictObject(group)

const ListedBatchShape = v.strictObject(listed)
const BatchShape = v.strictObject({
  ...listed,
  runs: about(
    'runs of the batch, in the order in which they begin; only in the answer for one batch',
    v.array(RunShape),
  ),
  groups: about(
    'ended runs, grouped by exit code and output, the largest group first; only in the answer for one batch',
    v.array(GroupShape),
  ),
  not_recorded: about(
    'what a retry has to bring, because the history does not have it; only in the answer for one batch',
    v.optional(NotRecordedShape),
  ),
})
const DifferencesShape = v.strictObject({
  id: about('id of the batch', text),
  same: about('number of runs in the largest group', wholeCount),
  differ: about('number of ended runs in all other groups', wholeCount),
  usual: about('the largest group; null until the first run has ended', v.nullable(GroupShape)),
  differences: about(
    'up to 20 other groups, the largest first. `diff`: unified diff between the first 64 KiB of output of a run of the largest group and of a run of this group, at most 16,384 characters; null if there is no diff. `note`: why the diff is missing or not complete; null otherwise',
    v.array(v.strictObject({ ...group, diff: v.nullable(text), note: v.nullable(text) })),
  ),
  more_groups: about('number of other groups that are not in `differences`', wholeCount),
  failures: about(
    'the last lines of stderr of up to 20 failed runs, each line at most 300 characters',
    v.optional(
      v.array(
        v.strictObject({
          connection: about('name of the connection', text),
          lines: about('up to 3 lines; empty if the run wrote nothing to stderr', v.array(text)),
        }),
      ),
    ),
  ),
})

export type ListedBatch = Frozen<v.InferOutput<typeof ListedBatchShape>>
export type BatchAnswer = Frozen<v.InferOutput<typeof BatchShape>>
export type BatchRunAnswer = BatchAnswer['runs'][number]
/** A group of runs that ended with the same exit code and output. */
export type BatchGroup = BatchAnswer['groups'][number]
export type BatchDifferences = Frozen<v.InferOutput<typeof DifferencesShape>>

export const batchContract = {
  list: {
    tag: 'Batches',
    method: 'GET',
    path: '/api/batches',
    summary: "Lists the newest 50 batches: the caller's, and those that the caller's groups review",
    role: 'user',
    scope: 'concerned',
    audit: { action: 'view', type: 'batches', verb: 'looked at batches' },
    answers: { 200: v.array(ListedBatchShape) },
    errors: ['history-failed'],
  },
  show: {
    tag: 'Batches',
    method: 'GET',
    path: '/api/batches/:id',
    summary: 'Shows a batch, its runs, and which runs ended with the same output',
    role: 'user',
    scope: 'concerned',
    audit: { action: 'view', type: 'batches', verb: 'looked at a batch' },
    answers: { 200: BatchShape },
    errors: ['batch-not-found', 'history-failed'],
  },
  differences: {
    tag: 'Batches',
    method: 'GET',
    path: '/api/batches/:id/diff',
    summary: 'Compares the outputs of the ended runs with the most frequent output',
    role: 'user',
    scope: 'read',
    audit: { action: 'view', type: 'batches', verb: 'compared the outputs of a batch' },
    answers: { 200: DifferencesShape },
    errors: ['not-permitted', 'batch-not-found', 'too-much-at-once', 'history-failed'],
  },
  exec: {
    tag: 'Batches',
    method: 'POST',
    path: '/api/batches/:id/exec',
    summary: 'Runs an approved batch; a batch can be run only once',
    role: 'standard',
    scope: 'end',
    audit: { action: 'execute', type: 'batches', verb: 'ran an approved batch' },
    answers: { 202: BatchShape },
    errors: [
      'not-permitted',
      'outside-time-window',
      'review-wrong-state',
      ['review-wrong-state', 403],
      'batch-not-found',
      'review-not-found',
      'batch-wrong-state',
      'already-processing',
      'batch-refused',
      ...OF_CHOICES,
      'too-large',
      'too-much-at-once',
      'budget-spent',
      'history-failed',
      'history-no-room',
      'gateway-draining',
    ],
  },
  create: {
    tag: 'Batches',
    method: 'POST',
    path: '/api/batches',
    summary: 'Runs a runbook on several connections, wave by wave',
    description:
      'Answers immediately. The batch then runs, or waits for approval if a connection needs an approval.',
    role: 'standard',
    scope: 'connection',
    audit: { action: 'execute', type: 'batches', verb: 'ran a batch' },
    body: BatchBodyShape,
    answers: { 201: BatchShape },
    errors: [
      'connection-not-found',
      'client-input-refused',
      'reason-missing',
      'first-missing',
      'runbook-not-found',
      'invalid-runbook',
      'invalid-parameters',
      'runbooks-not-configured',
      'repository-not-found',
      'repository-failed',
      'batch-refused',
      ...OF_CHOICES,
      'invalid-jira-fields',
      'jira-failed',
      'too-much-at-once',
      'budget-spent',
      'lock-busy',
      'history-failed',
      'gateway-draining',
    ],
  },
  retry: {
    tag: 'Batches',
    method: 'POST',
    path: '/api/batches/:id/retry',
    summary: 'Runs connections of an ended batch again, as a new batch; a batch can be retried only once',
    description:
      'The new batch has the commit, waves and parameters of the ended one, and the rights, approvals and Jira rules of the present. Without `connections`, it has the runs that failed or never began.',
    role: 'standard',
    scope: 'end',
    audit: { action: 'execute', type: 'batches', verb: 'ran a batch again' },
    body: RetryBodyShape,
    bodyReading: { isOptional: true },
    answers: { 201: BatchShape },
    errors: [
      'not-permitted',
      'connection-not-found',
      'client-input-refused',
      'runbook-not-found',
      'invalid-runbook',
      'invalid-parameters',
      'runbooks-not-configured',
      'repository-not-found',
      'repository-failed',
      'batch-not-found',
      'batch-wrong-state',
      'batch-retried',
      'batch-refused',
      ...OF_CHOICES,
      'commit-gone',
      'values-missing',
      'reason-missing',
      'first-missing',
      'invalid-jira-fields',
      'jira-failed',
      'too-large',
      'too-much-at-once',
      'budget-spent',
      'lock-busy',
      'history-failed',
      'gateway-draining',
    ],
  },
  stop: {
    tag: 'Batches',
    method: 'POST',
    path: '/api/batches/:id/stop',
    summary: 'Stops a batch: no further run starts',
    description: '`kill` also stops the running sessions. A batch that has ended is not changed.',
    role: 'standard',
    scope: 'end',
    audit: { action: 'kill', type: 'batches', verb: 'stopped a batch', takesAway: true },
    body: StopShape,
    answers: { 200: BatchShape },
    errors: ['batch-not-found', 'history-failed'],
  },
} as const satisfies Contract
