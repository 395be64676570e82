import * as v from 'valibot'
import { GATEWAY_CODES } from '../wire/gateway-codes.ts'
import { needed, type Contract, type Frozen } from './contract.ts'
import { MAX_ENTRIES, runbookRun, sentName, sentText, textMap } from './executions.ts'
import { StateShape } from './session-state.ts'
import { text, wholeCount } from './words.ts'

const number = v.pipe(
  v.number('must be a number'),
  v.integer('must be a whole number'),
  v.minValue(1, 'must be 1 or more'),
)
const amount = v.union([sentText, number], 'must be a number, or a text such as 10%')

/** The body of an execution on several connections. Without a repository, all must have the same one. */
const BatchBodyShape = v.object(
  {
    ...runbookRun,
    repository: v.nullish(sentText),
    connections: v.nullish(
      v.pipe(
        v.array(sentName, 'must be a list of names'),
        v.maxLength(MAX_ENTRIES, `must not have more than ${MAX_ENTRIES} entries`),
      ),
      [],
    ),
    tags: v.nullish(textMap, {}),
    waves: v.nullish(v.union([sentText, v.array(amount)], 'must be a text such as 1,10,rest')),
    parallel: v.nullish(number),
    stop_after: v.nullish(amount),
  },
  'must be a JSON object',
)
export type BatchBody = Frozen<v.InferOutput<typeof BatchBodyShape>>

const StopShape = v.nullish(
  v.object({ kill: v.nullish(v.boolean('must be true or false'), false) }, 'must be a JSON object'),
)

const time = v.nullable(text)
const exitCode = v.nullable(v.pipe(v.number(), v.integer()))
const code = v.optional(v.picklist(GATEWAY_CODES))

const listed = {
  id: needed(text),
  status: needed(v.picklist(['waiting', 'running', 'done', 'stopped'])),
  owner: text,
  created_at: text,
  started_at: time,
  ended_at: time,
  repository: text,
  file_name: text,
  runbook_title: v.optional(text),
  commit: text,
  parameters: v.record(v.string(), text),
  metadata: v.record(v.string(), v.unknown()),
  waves: v.array(wholeCount),
  parallel: wholeCount,
  threshold: wholeCount,
  stop: v.nullable(
    v.strictObject({
      reason: v.picklist([
        'threshold',
        'user',
        'rejected',
        'outside-time-window',
        'not-permitted',
        'history',
        'gateway-stopped',
      ]),
      message: text,
    }),
  ),
  review: v.nullable(
    v.strictObject({
      id: text,
      session_id: needed(text),
      state: v.nullable(StateShape),
      when_approved: v.optional(v.literal(true)),
    }),
  ),
  // Clients decide by these counts whether a batch has succeeded.
  counts: needed(
    v.strictObject({
      total: needed(wholeCount),
      succeeded: needed(wholeCount),
      failed: wholeCount,
      running: wholeCount,
      not_begun: wholeCount,
    }),
  ),
  warning: v.optional(text),
}

const RunShape = v.strictObject({
  connection: needed(text),
  wave: wholeCount,
  status: needed(v.picklist(['not-begun', 'running', 'succeeded', 'failed', 'unknown'])),
  state: v.nullable(StateShape),
  session_id: v.nullable(text),
  exit_code: exitCode,
  started_at: time,
  ended_at: time,
  code,
  message: v.optional(text),
})

const group = { exit_code: exitCode, code, count: wholeCount, connections: v.array(text) }
const GroupShape = v.strictObject(group)

const ListedBatchShape = v.strictObject(listed)
const BatchShape = v.strictObject({ ...listed, runs: v.array(RunShape), groups: v.array(GroupShape) })
const DifferencesShape = v.strictObject({
  id: text,
  same: wholeCount,
  differ: wholeCount,
  usual: v.nullable(GroupShape),
  differences: v.array(v.strictObject({ ...group, diff: v.nullable(text), note: v.nullable(text) })),
  more_groups: wholeCount,
})

export type ListedBatch = Frozen<v.InferOutput<typeof ListedBatchShape>>
export type BatchAnswer = Frozen<v.InferOutput<typeof BatchShape>>
export type BatchRunAnswer = BatchAnswer['runs'][number]
/** Runs that have ended in the same way. */
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
    audit: { action: 'view', type: 'batches' },
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
    audit: { action: 'view', type: 'batches' },
    answers: { 200: BatchShape },
    errors: ['batch-not-found', 'history-failed'],
  },
  differences: {
    tag: 'Batches',
    method: 'GET',
    path: '/api/batches/:id/diff',
    summary: 'Compares the outputs of the ended runs with the most frequent one',
    role: 'user',
    scope: 'read',
    audit: { action: 'view', type: 'batches' },
    answers: { 200: DifferencesShape },
    errors: ['not-permitted', 'batch-not-found', 'history-failed'],
  },
  exec: {
    tag: 'Batches',
    method: 'POST',
    path: '/api/batches/:id/exec',
    summary: 'Runs an approved batch, once',
    role: 'standard',
    scope: 'end',
    audit: { action: 'execute', type: 'batches' },
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
    description: 'Answers at once: the batch runs, or waits for approval if a connection needs one.',
    role: 'standard',
    scope: 'connection',
    audit: { action: 'execute', type: 'batches' },
    body: BatchBodyShape,
    answers: { 201: BatchShape },
    errors: [
      'connection-not-found',
      'client-input-refused',
      'runbook-not-found',
      'invalid-runbook',
      'invalid-parameters',
      'runbooks-not-configured',
      'repository-not-found',
      'repository-failed',
      'batch-refused',
      'invalid-jira-fields',
      'jira-failed',
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
    description: 'With `kill`, running sessions are ended as well. A batch that has ended is not changed.',
    role: 'standard',
    scope: 'end',
    audit: { action: 'kill', type: 'batches', takesAway: true },
    body: StopShape,
    answers: { 200: BatchShape },
    errors: ['batch-not-found', 'history-failed'],
  },
} as const satisfies Contract
