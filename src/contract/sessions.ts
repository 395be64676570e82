import * as v from 'valibot'
import type { Contract, Frozen } from './contract.ts'
import { anyMap } from './executions.ts'
import { ReviewInSessionShape } from './reviews.ts'
import { OutputRangeShape, StatementsShape } from './session-output.ts'
import { OUTCOMES, SESSION_KINDS, StateShape } from './session-state.ts'
import { about, file, nothing, numberOption, plainOption, text, wholeCount } from './words.ts'

const whole = v.pipe(v.number(), v.integer())
const texts = v.record(v.string(), v.string())
const anything = v.record(v.string(), v.unknown())

/** The result for the Jira issue after the session's end. */
const JiraMoveShape = v.strictObject({
  status: about(
    'what became of the move of the issue',
    v.picklist(['pending', 'done', 'skipped', 'given-up']),
  ),
  attempts: about('number of attempts', wholeCount),
  error: about('why the last attempt failed', v.nullable(text)),
})

/** Null until the end. */
const metrics = v.nullable(
  v.strictObject({
    data_masking: about(
      'what masking has done',
      v.strictObject({
        err_count: about('how often masking failed at the agent', wholeCount),
        info_types: about(
          'how often each type was replaced; the first hundred types',
          v.record(v.string(), wholeCount),
        ),
        total_redact_count: about('how often all types were replaced', wholeCount),
        transformed_bytes: about('number of bytes that were replaced', wholeCount),
      }),
    ),
    event_size: about('bytes of recorded output', wholeCount),
    truncated: about('whether output is missing', v.boolean()),
  }),
)

const session = {
  id: about('id of the session', text),
  org_id: about('always the same', text),
  user: about('name of the user', text),
  user_id: about('the name again', text),
  user_name: about('the name again', text),
  identity_type: about("hoop's word for people and machines", v.literal('user')),
  connection: about('name of the connection', text),
  role_name: about('the name again', text),
  resource_name: about('the name again; empty if the connection is no longer in the settings', text),
  connection_tags: about(
    'tags of the connection when the session began; null for runbooks',
    v.nullable(texts),
  ),
  type: about('type of the connection', text),
  connection_subtype: about('subtype of the connection', text),
  review: about('its review, without `session` and `can`', v.nullable(ReviewInSessionShape)),
  verb: about('exec: a script or a runbook; connect: a terminal or native clients', text),
  port: v.pipe(v.boolean(), v.description('whether native clients connect to a port of the client')),
  origin: about('client, client-api or client-api-runbooks', text),
  labels: about(
    'labels; null without any. Those that begin with `runbook` are of the gateway',
    v.nullable(texts),
  ),
  runbook_title: v.optional(v.pipe(text, v.description('title of the runbook at the time of the request'))),
  metadata: about('metadata; null without any', v.nullable(anything)),
  session_batch_id: about('id of its batch, or what the request gave', v.optional(text)),
  correlation_id: about('what the request gave', v.optional(text)),
  status: about('open; ready: approved and not run yet; done', v.picklist(['open', 'ready', 'done'])),
  state: about('its state', StateShape),
  exit_code: about('exit code; 254 if the execution has none, null until the end', v.nullable(whole)),
  start_date: about('when it began', text),
  end_date: about('when it ended', v.nullable(text)),
  event_size: about('bytes of recorded output', wholeCount),
  truncated_bytes: about('bytes of output that are not recorded, exact up to 2^53 - 1', wholeCount),
  redacted_bytes: about(
    'bytes of output that were replaced since they were secrets, exact up to 2^53 - 1',
    wholeCount,
  ),
  integrations_metadata: about(
    'its Jira issue',
    v.nullable(
      v.strictObject({
        jira_issue_key: about('key of the issue', text),
        jira_issue_url: about('address of the issue', text),
      }),
    ),
  ),
  jira_transition: about('the move of the issue after the end', v.nullable(JiraMoveShape)),
  guardrails_info: about("the broken rules, in hoop's form", v.nullable(v.array(anything))),
  ai_analysis: v.null(),
  script_size: about('characters of the script as a JSON text', v.nullable(wholeCount)),
  metrics: about('figures of the session; null until the end', metrics),
}

const ListedSessionShape = v.strictObject({ ...session, script: v.null() })

const SessionShape = v.strictObject({
  ...session,
  script: about(
    '`data` is the script, with secrets replaced; null in a list',
    v.strictObject({ data: text }),
  ),
  event_stream: about(
    'with `expand`: events of `[seconds, type, base64]`, or one text',
    v.optional(v.array(v.union([text, v.tuple([v.number(), text, text])]))),
  ),
})

const DownloadLinkShape = v.strictObject({ download_url: text, expire_at: text })

const SessionListShape = v.strictObject({
  data: v.array(ListedSessionShape),
  total: v.nullable(wholeCount),
  total_is_capped: v.boolean(),
  has_next_page: v.boolean(),
})

/** All of a session's metadata. */
const MetadataShape = v.object({ metadata: anyMap }, 'must be a JSON object')

/** Bytes as a command wrote them. */
const plainText = v.pipe(text, v.description('text/plain'))

export type ListedSession = Frozen<v.InferOutput<typeof ListedSessionShape>>

const VIEW = { action: 'view', type: 'sessions' } as const

const FILTERS = {
  user: plainOption(
    'only sessions of this user, as an SQL LIKE pattern (`%` is any text, `_` is one character)',
  ),
  connection: plainOption('only sessions on this connection, as a LIKE pattern'),
  type: plainOption('only sessions on connections of this type, as a LIKE pattern'),
  runbook: plainOption('only sessions of this runbook: its path, or a LIKE pattern'),
  status: plainOption(
    `only sessions in this state: ${OUTCOMES.join(', ')}, or several of them, separated by commas; or open, ready, done as in hoop`,
  ),
  kind: plainOption(`only sessions of this kind: ${SESSION_KINDS.join(', ')}`),
  parameter: plainOption(
    'only runs with this text in a recorded parameter; searches the newest 20,000 runs that match the other filters, except requests of more than 64 KiB',
  ),
  batch_id: plainOption('only sessions of this batch'),
  correlation_id: plainOption('only sessions with this correlation id; empty: only sessions without one'),
  'review.status': plainOption(
    'only sessions with a review in this state, as a LIKE pattern; empty: only sessions without a review',
  ),
  jira_issue_key: plainOption('only sessions with one of these Jira issues, separated by commas'),
  'review.approver': plainOption('only sessions that one of the groups of this user reviews'),
  start_date: plainOption('only sessions that began at this time or later, RFC 3339'),
  end_date: plainOption('only sessions that began at this time or earlier, RFC 3339'),
} as const

const LIST = {
  tag: 'Sessions',
  method: 'GET',
  summary: 'Lists sessions, the newest first',
  role: 'user',
  scope: 'seen',
  audit: VIEW,
  query: {
    ...FILTERS,
    limit: plainOption('maximum number of sessions, up to 100 (default: 20)'),
    offset: plainOption('number of sessions to skip, up to 10,000 (default: 0)'),
    count: plainOption('how `total` is counted: capped (at 10,000), exact or none (default: capped)'),
  },
  answers: { 200: SessionListShape },
  errors: [['invalid-request', 422], 'history-failed'],
} as const

/** The list, under both of hoop's names. */
export const sessionListContract = {
  list: { ...LIST, path: '/api/sessions' },
  listByOldName: {
    ...LIST,
    path: '/api/plugins/audit/sessions',
    summary: 'Lists sessions, under an older name of the endpoint',
  },
} as const satisfies Contract

const DaysShape = v.strictObject({
  days: about(
    'the days, the oldest first',
    v.array(
      v.strictObject({
        day: v.pipe(text, v.description('YYYY-MM-DD')),
        open: v.pipe(wholeCount, v.description('sessions that run, or wait for people')),
        succeeded: about('sessions with exit code 0', wholeCount),
        failed: about('sessions that ended otherwise', wholeCount),
        stopped: about('sessions that a person or a closed client ended', wholeCount),
        rejected: about('sessions that were rejected or revoked', wholeCount),
      }),
    ),
  ),
  is_capped: v.pipe(v.boolean(), v.description('true if a day has more sessions than were examined')),
})
/** Number of sessions that began on each day, oldest day first. */
export type DaysAnswer = Frozen<v.InferOutput<typeof DaysShape>>

export const sessionContract = {
  byDay: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/by-day',
    summary: 'Counts sessions by the day on which they began, and by outcome',
    description:
      'The filters are those of the list, except `parameter`. At most 100,000 sessions of a day are examined.',
    role: 'user',
    scope: 'seen',
    audit: 'none',
    query: {
      ...FILTERS,
      parameter: plainOption('ignored'),
      days: numberOption('days', 'number of days up to today, from 1 to 92 (default: 30)', 92),
      time_zone: plainOption('time zone of the days, such as Europe/Berlin (default: UTC)'),
    },
    answers: { 200: DaysShape },
    errors: [['invalid-request', 422], 'history-failed'],
  },
  output: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id/output',
    summary: 'Returns a part of the output of a session, from a place in its stream',
    description:
      'The part consists of whole events, and of at least one if there is one. `over`: there is no more output after `next`.',
    role: 'user',
    scope: 'read',
    audit: VIEW,
    query: {
      from: plainOption('place after which the part begins (default: the beginning of the output)'),
      bytes: plainOption('size of the part in bytes, up to 1048576 (default: 262144)'),
    },
    answers: { 200: OutputRangeShape },
    errors: ['not-permitted', 'session-not-found', ['invalid-request', 422], 'history-failed'],
  },
  statements: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id/statements',
    summary: 'Lists the statements of the native clients of a session, the oldest first',
    description: 'Only sessions with `port` on a PostgreSQL or MySQL connection have statements.',
    role: 'user',
    scope: 'read',
    audit: VIEW,
    query: {
      offset: numberOption('offset', 'number of statements to skip (default: 0)', 10_000_000, 0),
      limit: numberOption('limit', 'maximum number of statements, up to 1000 (default: 200)', 1000),
    },
    answers: { 200: StatementsShape },
    errors: ['not-permitted', 'session-not-found', ['invalid-request', 422], 'history-failed'],
  },
  kill: {
    tag: 'Sessions',
    method: 'POST',
    path: '/api/sessions/:id/kill',
    summary: 'Kills a session; for a session that has ended, it does nothing',
    role: 'standard',
    scope: 'end',
    audit: { action: 'kill', type: 'sessions', takesAway: true },
    answers: { 204: nothing },
    errors: ['session-not-found', 'history-failed'],
  },
} as const satisfies Contract

const DOWNLOAD = {
  tag: 'Sessions',
  method: 'GET',
  role: 'public',
  scope: 'link',
  audit: { action: 'download', type: 'sessions' },
  query: { token: plainOption('token of the link; the other options are a part of the link, too') },
  answers: { 200: file },
  type: 'application/octet-stream',
  errors: ['session-not-found', 'download-expired', 'history-failed'],
} as const

/** Operations that send their answer in pieces, or read their body as hoop does. They are mounted by hand. */
export const sessionStreamContract = {
  exportLines: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/export',
    summary: 'Exports sessions as lines of JSON, the oldest first',
    description:
      'Each line is a session as the list shows it, with a `cursor`. Sessions that begin during the export are left out. `after` continues an interrupted export.',
    role: 'user',
    scope: 'seen',
    audit: { action: 'download', type: 'sessions' },
    query: {
      ...FILTERS,
      after: plainOption('only sessions after the one with this `cursor`'),
    },
    answers: { 200: plainText },
    type: 'application/x-ndjson',
    errors: [['invalid-request', 422], 'too-many-clients', 'history-failed'],
  },
  show: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id',
    summary: 'Shows a session, also while it runs, or makes a link for a download (`extension`)',
    role: 'user',
    scope: 'seen',
    audit: VIEW,
    query: {
      expand: plainOption(
        'what the answer has in addition: event_stream, session_input, resize, separated by commas',
      ),
      event_stream: plainOption('form of the output: utf8 or base64 (default: a list of events)'),
      extension: plainOption(
        'returns a link instead, to download the output as csv, json, txt or another file',
      ),
      'blob-type': plainOption('session_input: the link is for the script instead of the output'),
    },
    answers: { 200: v.union([SessionShape, DownloadLinkShape]) },
    errors: ['not-permitted', 'session-not-found', ['invalid-request', 422], 'history-failed'],
  },
  download: {
    ...DOWNLOAD,
    path: '/api/sessions/:id/download',
    summary: 'Returns the output as a file, once',
  },
  downloadInput: {
    ...DOWNLOAD,
    path: '/api/sessions/:id/download/input',
    summary: 'Returns the script as a file, once',
  },
  metadata: {
    tag: 'Sessions',
    method: 'PATCH',
    path: '/api/sessions/:id/metadata',
    summary: 'Replaces the metadata of a session',
    role: 'standard',
    scope: 'own',
    audit: { action: 'update', type: 'sessions' },
    body: MetadataShape,
    answers: { 204: nothing },
    errors: ['session-not-found', ['invalid-request', 422], 'history-failed'],
  },
  result: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id/result/stream',
    summary: 'Returns the output of a session, byte for byte',
    role: 'user',
    scope: 'read',
    audit: VIEW,
    query: {
      events: plainOption('kinds of events: i, o, e, separated by commas (default: o,e)'),
      newline: plainOption('1: adds a line break after each event'),
      'event-time': plainOption('1: adds the time before each event'),
    },
    answers: { 200: plainText },
    type: 'text/plain',
    errors: ['not-permitted', 'session-not-found', 'too-many-clients', 'history-failed'],
  },
  stream: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id/stream',
    summary: 'Streams the output of a session until it ends, as server-sent events',
    description: 'With the header `Last-Event-ID` the stream continues after that event.',
    role: 'user',
    scope: 'read',
    audit: VIEW,
    query: { from: plainOption('now: only new output (default: from the beginning)') },
    answers: { 200: plainText },
    type: 'text/event-stream',
    errors: [
      'not-permitted',
      'session-not-found',
      ['invalid-request', 422],
      'too-many-clients',
      'history-failed',
    ],
  },
} as const satisfies Contract
