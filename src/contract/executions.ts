import * as v from 'valibot'
import { GATEWAY_CODES } from '../wire/gateway-codes.ts'
import type { Contract, Frozen } from './contract.ts'
import { about, text, wholeCount } from './words.ts'

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
  has_review: about('whether people have to approve', v.boolean()),
  session_id: about('id of the session', v.pipe(text, v.uuid())),
  output: about(
    'stdout and stderr in the order of arrival, then the reason of the agent if there is one; bytes that are not UTF-8 become U+FFFD; the address of the session while it waits for approval',
    text,
  ),
  output_status: about(
    'success: exit code 0; blocked: a guardrail rule stopped it; running: with 202; failed: everything else',
    v.picklist(['success', 'failed', 'running', 'blocked']),
  ),
  truncated: about(
    'whether output is missing: left out by the agent (`output.cap`), by `limits.output`, or not recorded',
    v.boolean(),
  ),
  execution_time: about('milliseconds, with the wait for the agent; 0 with 202', wholeCount),
  exit_code: about(
    'exit code of the command; -2 if there is none: the agent is away or was lost, the session was killed, `access.exec` forbids scripts, or the execution still runs',
    whole,
  ),
  ai_analysis: v.null(),
  jira_issue_key: about('key of its Jira issue', v.optional(text)),
  jira_issue_url: about('address of its Jira issue', v.optional(text)),
  redacted_bytes: about(
    'bytes that were replaced in the output since they were secrets',
    v.optional(wholeCount),
  ),
  warning: about('a warning about an old copy of the repository', v.optional(text)),
  code: about('why there is no exit code of the command', v.optional(v.picklist(GATEWAY_CODES))),
  waits_for: about(
    'the lock for which it waits, with 202',
    v.optional(
      v.strictObject({
        lock: about('name of the lock', text),
        session_id: about('session that has the lock', v.nullable(text)),
        user: about('user of that session', v.nullable(text)),
        since: about('since when', v.nullable(text)),
        ahead: about('number of sessions that get the lock before', wholeCount),
      }),
    ),
  ),
  when_approved: about('true if the gateway itself runs it after the approval', v.optional(v.literal(true))),
})
/** How an execution has ended, or where it continues. */
export type ExecutionAnswer = Frozen<v.InferOutput<typeof ExecutionShape>>

const RenderedShape = v.strictObject({
  repository: about('repository', text),
  commit: about('commit of the file', text),
  connection: about('name of the connection', text),
  script: about('the script', text),
  env_vars: about('names of the variables of the request and of `asenv`', v.array(text)),
  client_args: about('arguments', v.array(text)),
  secret_parameters: about('names of parameters whose values the history does not keep', v.array(text)),
  warning: about('a warning about an old copy', v.optional(text)),
})

/** What would happen to a runbook on one connection, for this caller and at this moment. */
const ForeseenShape = v.strictObject({
  connection: about('name of the connection', text),
  review: about(
    'approval that is needed; null: none',
    v.nullable(
      v.strictObject({
        groups: about('groups that may approve', v.array(text)),
        minimum: about('number of groups that have to approve', wholeCount),
        rule: v.pipe(
          v.nullable(text),
          v.description('path of the rule in `runbooks.review`; null for the review of the connection'),
        ),
      }),
    ),
  ),
  jira_fields: v.pipe(
    v.array(v.strictObject({ jira_field: text, label: text, description: text, required: v.boolean() })),
    v.description('fields of the Jira issue that the caller has to fill'),
  ),
  locks: about(
    'locks that it needs',
    v.array(
      v.strictObject({
        name: about('name of the lock', text),
        holder: about(
          'session that has the lock',
          v.nullable(v.strictObject({ session_id: text, user: text, since: text })),
        ),
        waiting: about('number of sessions that wait', wholeCount),
      }),
    ),
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
