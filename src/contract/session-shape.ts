import * as v from 'valibot'
import { machineShape } from './mcp.ts'
import { needed, type Frozen } from './contract.ts'
import { FIRST, SECOND } from './first-run.ts'
import { ReviewInSessionShape } from './reviews.ts'
import { StateShape } from './session-state.ts'
import { about, moment, text, time, wholeCount } from './words.ts'

const whole = v.pipe(v.number(), v.integer())
const texts = v.record(v.string(), v.string())
const anything = v.record(v.string(), v.unknown())

/** After the session's end, the issue moves to another status. The fields say how far this has come. */
const JiraMoveShape = v.strictObject({
  status: about(
    'pending: the issue is not moved yet; done: the issue was moved; skipped: the issue keeps its status, because the session did not run or failed; given-up: too many attempts failed',
    v.picklist(['pending', 'done', 'skipped', 'given-up']),
  ),
  attempts: about('number of failed attempts', wholeCount),
  error: about('why the last attempt failed; null if no attempt has failed', v.nullable(text)),
})

/** The value is null until the session ends. */
const metrics = v.nullable(
  v.strictObject({
    data_masking: about(
      'what data masking replaced',
      v.strictObject({
        err_count: about('number of failures of the masking at the agent', wholeCount),
        info_types: about(
          'number of replaced values of each type, for the first 100 types',
          v.record(v.string(), wholeCount),
        ),
        total_redact_count: about('number of replaced values of all types', wholeCount),
        transformed_bytes: about(
          'number of bytes that were replaced, by the report of the agent',
          wholeCount,
        ),
      }),
    ),
    event_size: about('the same as `event_size` of the session', wholeCount),
    truncated: about('whether output is missing: `truncated_bytes` is not 0', v.boolean()),
  }),
)

const session = {
  id: needed(about('id of the session', text)),
  org_id: about("hoop's id of the organization, the same for all sessions", text),
  user: about('name of the user', text),
  user_id: about('the same as `user`', text),
  user_name: about('the same as `user`', text),
  identity_type: about("hoop's field, the same for people and machines", v.literal('user')),
  connection: about('name of the connection', text),
  role_name: about('the same as `connection`', text),
  resource_name: about(
    'the same as `connection`; empty if the connection is no longer in gateway.yaml',
    text,
  ),
  connection_tags: about(
    'tags of the connection when the session began; empty if it had no tags, null for runbooks',
    v.nullable(texts),
  ),
  type: about('type of the connection', text),
  connection_subtype: about('subtype of the connection; empty if it has no subtype', text),
  review: about(
    'review of the session, without `session` and `can`; null if the session needed no approval',
    v.nullable(ReviewInSessionShape),
  ),
  verb: about('exec: a script or a runbook; connect: a terminal or native clients (`port`)', text),
  port: v.pipe(
    v.boolean(),
    v.description('whether native clients use the session through a port that the client has opened'),
  ),
  origin: about(
    'client: a stream of `exec`, `connect` or a terminal of the page; client-api: a script over REST; client-api-runbooks: a runbook',
    text,
  ),
  labels: about(
    'labels of the request, and labels of the gateway, which begin with `runbook`; null if there are no labels',
    v.nullable(texts),
  ),
  runbook_title: v.optional(
    v.pipe(
      text,
      v.description('title of the runbook at the time of the request; missing if the runbook had no title'),
    ),
  ),
  ...machineShape,
  reason: about(
    'why the user asked, with secrets replaced; missing if the user gave no reason',
    v.optional(text),
  ),
  metadata: about('metadata of the session; null if there is no metadata', v.nullable(anything)),
  session_batch_id: about(
    'id of the batch, or `session_batch_id` of the request; missing if there is no such id',
    v.optional(text),
  ),
  correlation_id: about(
    '`correlation_id` of the request, or id of the run of a schedule; missing if there is no such id',
    v.optional(text),
  ),
  status: needed(
    about(
      'open: the session runs, or waits for approval; ready: the session is approved and has not run yet; done: the session has ended',
      v.picklist(['open', 'ready', 'done']),
    ),
  ),
  state: about('state of the session; after the end, how the session ended', StateShape),
  exit_code: about(
    'exit code of the command; 254 if there is no exit code, because the session was refused, lost or ended from outside; null until the end',
    v.nullable(whole),
  ),
  start_date: about('when the session was requested', moment),
  approved_at: about(
    'when the session was approved; null if it was not, or the time is unknown',
    v.optional(time),
  ),
  began_at: about(
    'when the command began, after all waits for an approval, a lock and the agent; null before, if it never began, and for sessions of older versions',
    v.optional(time),
  ),
  end_date: about('when the session ended; null before', time),
  event_size: about('bytes of output that are recorded so far, including texts about the end', wholeCount),
  truncated_bytes: about(
    'bytes of output that the agent omitted, or that could not be recorded; exact up to 2^53 - 1',
    wholeCount,
  ),
  redacted_bytes: about(
    'bytes of secrets that were replaced in the output; 0 until the end, exact up to 2^53 - 1',
    wholeCount,
  ),
  integrations_metadata: about(
    'Jira issue of the session; null if there is no issue',
    v.nullable(
      v.strictObject({
        jira_issue_key: about('key of the issue', text),
        jira_issue_url: about('address of the issue', text),
      }),
    ),
  ),
  jira_transition: about(
    'the move of the Jira issue after the end of the session; null if there is no issue',
    v.nullable(JiraMoveShape),
  ),
  guardrails_info: about(
    "guardrail rules that were broken, in hoop's form; null if no rule was broken",
    v.nullable(v.array(anything)),
  ),
  ai_analysis: v.null(),
  script_size: about(
    'characters of the script in JSON, without the quotes; null in records of older versions',
    v.nullable(wholeCount),
  ),
  script_line: about(
    'at most 160 characters of the first line of a script that is not blank; only in lists, and missing for runbooks and terminals',
    v.optional(text),
  ),
  metrics: about('figures of the session; null until the end', metrics),
  is_shortened: about(
    'true if long parts are left out, otherwise missing: of a request above 8 KiB in a list, or above 64 KiB in an export, metadata, labels (except those of the gateway with at most 1 KiB) and a `session_batch_id` above 1 KiB are left out; `guardrails_info` above 4 KiB is empty in both; `GET /api/sessions/ID` has everything',
    v.optional(v.literal(true)),
  ),
}

const counted = (meaning: string) => v.pipe(wholeCount, v.description(meaning))

const GroupShape = v.strictObject({
  kind: about(
    'batch: sessions with the same `session_batch_id`; schedule: runs of a schedule on one day',
    v.picklist(['batch', 'schedule']),
  ),
  name: about('id of the batch, or name of the schedule', text),
  is_run: about('whether it is a batch of the gateway, which `GET /api/batches/ID` shows', v.boolean()),
  count: counted('number of sessions of the row'),
  open: counted('those that run, wait, or are approved and have not run yet'),
  succeeded: counted('those with the outcome `succeeded`'),
  failed: counted('those with the outcome `failed`'),
  stopped: counted('those with the outcome `stopped`'),
  rejected: counted('those with the outcome `rejected`'),
  first_date: about('when the oldest session was requested', moment),
  last_date: about('when the newest session was requested', moment),
  began_at: about('when the first command began; null if none has begun', time),
  end_date: about('when the last session ended; null while one is open', time),
})
export type GroupAnswer = Frozen<v.InferOutput<typeof GroupShape>>

export const ListedSessionShape = v.strictObject({
  ...session,
  script: v.null(),
  group: v.optional(
    v.pipe(
      GroupShape,
      v.description(
        'with the option `group`, the sessions that the row stands for; the row itself is the first of them in the order of the list. Missing for a single session',
      ),
    ),
  ),
})

export const SessionShape = v.strictObject({
  ...session,
  first: FIRST,
  second: SECOND,
  script: about(
    '`data` is the script, with secrets replaced; empty for a terminal, and if `expand` has only other parts; null in a list',
    v.strictObject({ data: text }),
  ),
  may_read_output: about(
    'whether the caller may read the output, and with it the stream, the statements and the downloads. Approvers see a session without its output',
    v.boolean(),
  ),
  event_stream: about(
    'with `expand=event_stream`, for users who may see the output: a list of events `[seconds since began_at, type, bytes in base64]`, or the whole output as one text',
    v.optional(v.array(v.union([text, v.tuple([v.number(), text, text])]))),
  ),
})

export type ListedSession = Frozen<v.InferOutput<typeof ListedSessionShape>>
export type ShownSession = Frozen<v.InferOutput<typeof SessionShape>>
