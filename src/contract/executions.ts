import * as v from 'valibot'
import { GATEWAY_CODES } from '../wire/gateway-codes.ts'
import type { Contract, Frozen } from './contract.ts'
import { text, wholeCount } from './words.ts'

// Bodies of requests to run something (protocol.md 10.1). Unknown fields are ignored: newer clients send
// more.

/**
 * Most entries in one list or object. More would keep the gateway busy for seconds, and make all other
 * callers wait.
 */
export const MAX_ENTRIES = 10_000

/**
 * Bytes of output that a session's record holds, and the same again of input, as with hoop's gateway
 * (protocol.md 7). No answer is longer.
 */
export const RECORDED_BYTES = 110 * 1024 * 1024

export const sentText = v.string('must be a text')
export const sentName = v.pipe(sentText, v.nonEmpty('must not be empty'))
/** For JavaScript a list is an object too, and would become a record with numbers as names. */
const isNoList = v.check((value: unknown) => !Array.isArray(value), 'must be an object, not a list')
/** Go reads `null` as an empty text. */
const element = v.nullable(sentText, '')
export const textMap = v.pipe(
  v.unknown(),
  isNoList,
  v.record(v.string(), element, 'must be an object whose values are texts'),
  v.check((map) => Object.keys(map).length <= MAX_ENTRIES, `must not have more than ${MAX_ENTRIES} entries`),
)
export const anyMap = v.pipe(v.unknown(), isNoList, v.record(v.string(), v.unknown(), 'must be an object'))

const common = {
  env_vars: v.nullish(textMap, {}),
  client_args: v.nullish(
    v.pipe(
      v.array(element, 'must be a list of texts'),
      v.maxLength(MAX_ENTRIES, `must not have more than ${MAX_ENTRIES} entries`),
    ),
    [],
  ),
  metadata: v.nullish(anyMap, {}),
  jira_fields: v.nullish(textMap, {}),
  session_batch_id: v.nullish(sentText),
  correlation_id: v.nullish(sentText),
  when_approved: v.nullish(v.boolean('must be true or false'), false),
}

export const runbookRun = {
  ...common,
  file_name: sentName,
  ref_hash: v.nullish(sentText, ''),
  parameters: v.nullish(textMap, {}),
}

const RunbookRunShape = v.object(runbookRun, 'must be a JSON object')
const RepositoryRunShape = v.object(
  { ...runbookRun, connection_name: sentName, repository: sentName },
  'must be a JSON object',
)
/** Like an execution's body. Without a repository, the connection's own counts. */
const RenderShape = v.object(
  { ...runbookRun, connection_name: sentName, repository: v.nullish(sentText) },
  'must be a JSON object',
)
/** Most connections in one request, enough for a whole batch. */
const MOST_FORESEEN = 500
const ForeseeShape = v.object(
  {
    file_name: sentName,
    repository: v.nullish(sentText),
    connections: v.pipe(
      v.array(sentName, 'must be a list of names'),
      v.maxLength(MOST_FORESEEN, `must not have more than ${MOST_FORESEEN} names`),
    ),
  },
  'must be a JSON object',
)
const ScriptRunShape = v.object(
  { ...common, connection: sentName, script: v.nullish(sentText, ''), labels: v.nullish(textMap, {}) },
  'must be a JSON object',
)

/** Fields that every execution may have. */
export type RunBody = Pick<RunbookBody, keyof typeof common>
export type RunbookBody = Frozen<v.InferOutput<typeof RunbookRunShape>>

const whole = v.pipe(v.number(), v.integer())

/** `openapi.ExecResponse` of the published contract, with our fields. */
const ExecutionShape = v.strictObject({
  has_review: v.boolean(),
  session_id: v.pipe(text, v.uuid()),
  output: text,
  output_status: v.picklist(['success', 'failed', 'running', 'blocked']),
  truncated: v.boolean(),
  execution_time: wholeCount,
  exit_code: whole,
  ai_analysis: v.null(),
  // Left out when there is nothing to report: the session's issue, the bytes of secrets that were replaced in
  // the output, a warning about the runbook, the reason why there is no exit code of the agent, the lock for
  // which the session waits (with 202), and whether the gateway itself runs the session once it is approved.
  jira_issue_key: v.optional(text),
  jira_issue_url: v.optional(text),
  redacted_bytes: v.optional(wholeCount),
  warning: v.optional(text),
  code: v.optional(v.picklist(GATEWAY_CODES)),
  waits_for: v.optional(
    v.strictObject({
      lock: text,
      session_id: v.nullable(text),
      user: v.nullable(text),
      since: v.nullable(text),
      ahead: wholeCount,
    }),
  ),
  when_approved: v.optional(v.literal(true)),
})
/** How an execution has ended, or where it continues. */
export type ExecutionAnswer = Frozen<v.InferOutput<typeof ExecutionShape>>

const RenderedShape = v.strictObject({
  repository: text,
  commit: text,
  connection: text,
  script: text,
  env_vars: v.array(text),
  client_args: v.array(text),
  secret_parameters: v.array(text),
  warning: v.optional(text),
})

/** What would happen to a runbook on one connection, for this caller and at this moment. */
const ForeseenShape = v.strictObject({
  connection: text,
  review: v.nullable(
    v.strictObject({
      groups: v.array(text),
      minimum: wholeCount,
      rule: v.pipe(
        v.nullable(text),
        v.description('path of the rule in `runbooks.review`; null for the review of the connection'),
      ),
    }),
  ),
  jira_fields: v.pipe(
    v.array(v.strictObject({ jira_field: text, label: text, description: text, required: v.boolean() })),
    v.description('fields of the Jira issue that the caller has to fill'),
  ),
  locks: v.array(
    v.strictObject({
      name: text,
      holder: v.nullable(v.strictObject({ session_id: text, user: text, since: text })),
      waiting: wholeCount,
    }),
  ),
  confirm: v.pipe(
    v.boolean(),
    v.description('people have to type the name of the connection before the run'),
  ),
  client_input: v.pipe(v.boolean(), v.description('client_args and env_vars are allowed')),
})
export type ForeseenAnswer = Frozen<v.InferOutput<typeof ForeseenShape>>

/** Common fields of operations that run something. */
export const EXECUTION = {
  method: 'POST',
  description:
    'Answers 200 when the execution has ended, with any exit code, and 202 when it still runs after `limits.wait` or waits for approval.',
  role: 'standard',
  audit: { action: 'execute', type: 'sessions' },
  answers: { 200: ExecutionShape, 202: ExecutionShape },
  errors: [
    'connection-not-found',
    'client-input-refused',
    'too-large',
    'too-much-at-once',
    'budget-spent',
    'lock-busy',
    'invalid-jira-fields',
    'jira-failed',
    'history-failed',
    'gateway-draining',
  ],
} as const

const OF_RUNBOOKS = [
  'runbooks-not-configured',
  'runbook-not-found',
  'invalid-runbook',
  'invalid-parameters',
  'repository-not-found',
  'repository-failed',
] as const

export const executionContract = {
  runbook: {
    ...EXECUTION,
    tag: 'Runbooks',
    path: '/api/plugins/runbooks/connections/:name/exec',
    summary: 'Runs a runbook on a connection',
    scope: 'connection',
    body: RunbookRunShape,
    errors: [...EXECUTION.errors, ...OF_RUNBOOKS],
  },
  repositoryRunbook: {
    ...EXECUTION,
    tag: 'Runbooks',
    path: '/api/runbooks/exec',
    summary: 'Runs a runbook of a repository on a connection',
    scope: 'connection',
    body: RepositoryRunShape,
    errors: [...EXECUTION.errors, ...OF_RUNBOOKS],
  },
  render: {
    tag: 'Runbooks',
    method: 'POST',
    path: '/api/runbooks/render',
    summary: 'Shows the script that an execution would send, and runs nothing',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    body: RenderShape,
    answers: { 200: RenderedShape },
    errors: ['not-permitted', 'connection-not-found', 'client-input-refused', 'too-large', ...OF_RUNBOOKS],
  },
  foresee: {
    tag: 'Runbooks',
    method: 'POST',
    path: '/api/runbooks/foresee',
    summary: 'Shows what an execution would need and wait for, and runs nothing',
    description:
      'The answer has an entry for each connection, in the order of the request. The file of the runbook is not read.',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    body: ForeseeShape,
    answers: { 200: v.array(ForeseenShape) },
    errors: [
      'not-permitted',
      'connection-not-found',
      'runbooks-not-configured',
      'runbook-not-found',
      'repository-not-found',
    ],
  },
  script: {
    ...EXECUTION,
    tag: 'Sessions',
    path: '/api/sessions',
    summary: 'Runs a script on a connection',
    scope: 'connection',
    body: ScriptRunShape,
  },
} as const satisfies Contract
