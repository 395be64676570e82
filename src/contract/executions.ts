import * as v from 'valibot'
import { MarksShape } from './review-facts.ts'
import { GATEWAY_CODES } from '../wire/gateway-codes.ts'
import { ChoicesShape, choicesQuery } from './choices.ts'
import type { Contract, Frozen } from './contract.ts'
import { FIRST_OF_RUNBOOK, OF_PAIRS, pairRun } from './first-run.ts'
import { ForeseenShape } from './foreseen-runbook.ts'
import {
  DatabaseSchemaShape,
  ForeseenScriptShape,
  ForeseeScriptShape,
  ReadSchemaShape,
} from './foreseen-script.ts'
import { reason } from './reason.ts'
import { about, text, time, wholeCount } from './words.ts'

// Bodies of requests to run something (protocol.md 10.1). Newer clients send more fields, which are ignored.

/** Requests with more entries would keep the gateway busy for seconds, and all other callers would wait. */
export const MAX_ENTRIES = 10_000

/** The maximum size of a session's recorded output, and of its input (protocol.md 7). No answer is longer. */
export const RECORDED_BYTES = 110 * 1024 * 1024

export const sentText = v.string('must be a string')
export const sentName = v.pipe(sentText, v.nonEmpty('must not be empty'))
/**
 * In JavaScript a list is an object. Without this check, a list would become a record with numbers as names.
 */
const isNoList = v.check((value: unknown) => !Array.isArray(value), 'must be an object, not a list')
/** Like Go, this shape reads `null` as an empty text. */
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
  reason: v.nullish(reason, ''),
}

export const runbookRun = {
  ...common,
  file_name: sentName,
  ref_hash: v.nullish(sentText, ''),
  parameters: v.nullish(textMap, {}),
}

const RunbookRunShape = v.object({ ...runbookRun, ...pairRun }, 'must be a JSON object')
const RepositoryRunShape = v.object(
  { ...runbookRun, ...pairRun, connection_name: sentName, repository: sentName },
  'must be a JSON object',
)
/**
 * `repository` defaults to the repository of the connection. With `incomplete`, required values may be missing. Only a
 * preview has this field: a run without a required value is always refused.
 */
const RenderShape = v.object(
  {
    ...runbookRun,
    ...{ connection_name: sentName, repository: v.nullish(sentText) },
    incomplete: v.nullish(v.boolean('must be true or false'), false),
  },
  'must be a JSON object',
)
/** This limit is enough for a whole batch. */
const MAX_FORESEEN_CONNECTIONS = 500
const ForeseeShape = v.object(
  {
    file_name: sentName,
    repository: v.nullish(sentText),
    connections: v.pipe(
      v.array(sentName, 'must be a list of names'),
      v.maxLength(MAX_FORESEEN_CONNECTIONS, `must not have more than ${MAX_FORESEEN_CONNECTIONS} names`),
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
/** A request for a runbook that may belong to a pair. */
export type PairBody = Frozen<v.InferOutput<typeof RunbookRunShape>>
export type RunbookBody = Omit<PairBody, keyof typeof pairRun>

const whole = v.pipe(v.number(), v.integer())

/** `openapi.ExecResponse` of hoop's published contract, with fields of ours. */
const ExecutionShape = v.strictObject({
  has_review: about('whether the session waits for approval: nothing has run yet', v.boolean()),
  session_id: about('id of the session', v.pipe(text, v.uuid())),
  output: about(
    'stdout and stderr in the order of arrival, up to `limits.output`, followed by the reason if the command was stopped from outside; bytes that are not UTF-8 become U+FFFD; empty with 202; with `has_review` the address of the session on the page',
    text,
  ),
  output_status: about(
    'success: exit code 0, or `has_review`; blocked: a guardrail rule was broken; running: the status is 202; failed: otherwise',
    v.picklist(['success', 'failed', 'running', 'blocked']),
  ),
  truncated: about(
    'whether output is missing, because the agent (`output.cap`) or `limits.output` cut it off, or it was not recorded',
    v.boolean(),
  ),
  execution_time: about(
    'duration of the session in milliseconds, including the wait for locks and for the agent; with `has_review`: until the request was stored; with 202: 0',
    wholeCount,
  ),
  exit_code: about(
    'exit code of the command; 0 with `has_review`; -2 without an exit code: the execution still runs (202), the gateway refused or ended it (see `code`), or the agent reported no exit code',
    whole,
  ),
  ai_analysis: v.null(),
  jira_issue_key: about(
    'key of the Jira issue of the session; missing if there is no issue',
    v.optional(text),
  ),
  jira_issue_url: about(
    'address of the Jira issue of the session; missing if there is no issue',
    v.optional(text),
  ),
  redacted_bytes: about(
    'number of bytes of secrets that were replaced in the output; missing if no bytes were replaced',
    v.optional(wholeCount),
  ),
  warning: about(
    'set if the runbook comes from an old copy, because its repository could not be read',
    v.optional(text),
  ),
  code: about(
    'code of the reason why the gateway refused or ended the execution; missing otherwise',
    v.optional(v.picklist(GATEWAY_CODES)),
  ),
  waits_for: about(
    'with 202, the lock for which the execution waits; missing if it waits for no lock',
    v.optional(
      v.strictObject({
        lock: about('name of the lock', text),
        session_id: about('id of the session that has the lock; null if the lock is free', v.nullable(text)),
        user: about('user of the session that has the lock; null if the lock is free', v.nullable(text)),
        since: about('since when the session has the lock; null if the lock is free', time),
        ahead: about('number of waiting sessions that get the lock before this session', wholeCount),
      }),
    ),
  ),
  waits_for_agent: about(
    'with 202, the agent for which the execution waits; missing if the agent is connected',
    v.optional(
      v.strictObject({
        agent: about('name of the agent', text),
        until: about('when the gateway ends the execution if the agent has not connected', time),
      }),
    ),
  ),
  when_approved: about(
    'true if the gateway runs the session as soon as it is approved; missing otherwise',
    v.optional(v.literal(true)),
  ),
})
/** The end of an execution, or the session in which the execution continues. */
export type ExecutionAnswer = Frozen<v.InferOutput<typeof ExecutionShape>>

const RenderedShape = v.strictObject({
  repository: about('key of the repository, or the name of a local folder', text),
  commit: about('full id of the commit from which the file was read', text),
  connection: about('name of the connection', text),
  script: about(
    'the script that would be sent; `••••••` replaces what an expression made of a secret, `[REDACTED]` replaces secrets elsewhere, and bytes that are not UTF-8 become U+FFFD. With `missing`, it is no script that could run: `⟨NAME⟩` stands for an expression that needs the value of NAME, and `⟨depends on NAME⟩` for a whole block, such as an `if`',
    text,
  ),
  missing: about(
    'names of required parameters that have no value; empty if the script is whole, and without `incomplete`',
    v.array(text),
  ),
  env_vars: about(
    'names of the variables of the request and of `asenv`, as `envvar:NAME` or `filesystem:NAME`; without those of a block that `gaps` leaves out',
    v.array(text),
  ),
  client_args: about('`client_args` of the request', v.array(text)),
  secret_parameters: about('names of parameters whose values the history does not keep', v.array(text)),
  marks: about(
    'places in `script` to which the template of the runbook wrote a value, as in a review; missing if there are none',
    v.optional(MarksShape),
  ),
  gaps: about(
    'placeholders in `script`, as in `marks`: `names` of the missing parameters, and whether a whole block is left out (`is_part`); missing if there are none',
    v.optional(
      v.array(
        v.strictObject({ start: wholeCount, end: wholeCount, names: v.array(text), is_part: v.boolean() }),
      ),
    ),
  ),
  first: about(FIRST_OF_RUNBOOK, v.optional(text)),
  warning: about(
    'set if the runbook comes from an old copy, because its repository could not be read',
    v.optional(text),
  ),
})
export type RenderedAnswer = Frozen<v.InferOutput<typeof RenderedShape>>

export const EXECUTION = {
  method: 'POST',
  description:
    'Answers 200 when the execution has ended, with any exit code, or waits for approval (`has_review`). Answers 202 if the execution still runs after `limits.wait`.',
  role: 'standard',
  answers: { 200: ExecutionShape, 202: ExecutionShape },
  errors: [
    'connection-not-found',
    'client-input-refused',
    'reason-missing',
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

const EXECUTE = { action: 'execute', type: 'sessions' } as const
const OF_RUNBOOKS = [
  'runbooks-not-configured',
  'runbook-not-found',
  'invalid-runbook',
  'invalid-parameters',
  'repository-not-found',
  'repository-failed',
] as const

export const OF_CHOICES = ['choice-gone', 'choices-failed'] as const

export const executionContract = {
  runbook: {
    ...EXECUTION,
    tag: 'Runbooks',
    path: '/api/plugins/runbooks/connections/:name/exec',
    summary: 'Runs a runbook on a connection',
    scope: 'connection',
    audit: { ...EXECUTE, verb: 'ran a runbook' },
    body: RunbookRunShape,
    errors: [...EXECUTION.errors, ...OF_RUNBOOKS, ...OF_CHOICES, ...OF_PAIRS],
  },
  repositoryRunbook: {
    ...EXECUTION,
    tag: 'Runbooks',
    path: '/api/runbooks/exec',
    summary: 'Runs a runbook of a repository on a connection',
    scope: 'connection',
    audit: { ...EXECUTE, verb: 'ran a runbook' },
    body: RepositoryRunShape,
    errors: [...EXECUTION.errors, ...OF_RUNBOOKS, ...OF_CHOICES, ...OF_PAIRS],
  },
  render: {
    tag: 'Runbooks',
    method: 'POST',
    path: '/api/runbooks/render',
    summary: 'Shows the script that an execution would send, and runs nothing',
    description:
      'Secrets are hidden. With `incomplete`, the script may be shown before all required values are known: `missing` names them, and placeholders are in their places. Without it, a missing value is refused as by an execution.',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    body: RenderShape,
    answers: { 200: RenderedShape },
    errors: ['not-permitted', 'connection-not-found', 'client-input-refused', 'too-large', ...OF_RUNBOOKS],
  },
  choices: {
    tag: 'Runbooks',
    method: 'GET',
    path: '/api/runbooks/choices',
    summary: 'Lists the values of a parameter whose runbook names a list of choices',
    description:
      'The list is a runbook of the same commit. It runs in a recorded session of the caller, once at a time. A copy is used again for 60 seconds.',
    role: 'standard',
    scope: 'connection',
    audit: 'none',
    query: choicesQuery,
    answers: { 200: ChoicesShape },
    errors: [
      'invalid-request',
      'not-permitted',
      'connection-not-found',
      'choices-failed',
      'too-large',
      'too-much-at-once',
      'budget-spent',
      'history-failed',
      'gateway-draining',
      ...OF_RUNBOOKS,
    ],
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
    audit: { ...EXECUTE, verb: 'ran a script' },
    body: ScriptRunShape,
  },
  schema: {
    tag: 'Sessions',
    method: 'POST',
    path: '/api/sessions/schema',
    summary: 'Reads the tables of a PostgreSQL or MySQL database by a script of the gateway',
    description:
      'The script runs in a recorded session of the caller. An answer is used again for five minutes, unless `fresh` is true.',
    role: 'standard',
    scope: 'connection',
    audit: { ...EXECUTE, verb: 'read the tables of a database' },
    body: ReadSchemaShape,
    answers: { 200: DatabaseSchemaShape },
    errors: [
      'not-permitted',
      'connection-not-found',
      'too-large',
      'too-much-at-once',
      'budget-spent',
      'history-failed',
      'gateway-draining',
    ],
  },
  foreseeScript: {
    tag: 'Sessions',
    method: 'POST',
    path: '/api/sessions/foresee',
    summary: 'Shows what a script would need and whether a guardrail refuses it, and runs nothing',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    body: ForeseeScriptShape,
    answers: { 200: ForeseenScriptShape },
    errors: ['not-permitted', 'connection-not-found', 'too-much-at-once'],
  },
} as const satisfies Contract
