import * as v from 'valibot'
import type { Contract, Frozen } from './contract.ts'
import { anyMap } from './executions.ts'
import { ReviewInSessionShape } from './reviews.ts'
import { OUTCOMES, SESSION_KINDS, StateShape } from './session-state.ts'
import { file, nothing, numberOption, plainOption, text, wholeCount } from './words.ts'

const whole = v.pipe(v.number(), v.integer())
const texts = v.record(v.string(), v.string())
const anything = v.record(v.string(), v.unknown())

/** The result for the Jira issue after the session's end. */
const JiraMoveShape = v.strictObject({
  status: v.picklist(['pending', 'done', 'skipped', 'given-up']),
  attempts: wholeCount,
  error: v.nullable(text),
})

/** Null until the end. */
const metrics = v.nullable(
  v.strictObject({
    data_masking: v.strictObject({
      err_count: wholeCount,
      info_types: v.record(v.string(), wholeCount),
      total_redact_count: wholeCount,
      transformed_bytes: wholeCount,
    }),
    event_size: wholeCount,
    truncated: v.boolean(),
  }),
)

const session = {
  id: text,
  org_id: text,
  user: text,
  user_id: text,
  user_name: text,
  identity_type: v.literal('user'),
  connection: text,
  role_name: text,
  resource_name: text,
  connection_tags: v.nullable(texts),
  type: text,
  connection_subtype: text,
  review: v.nullable(ReviewInSessionShape),
  verb: text,
  port: v.pipe(v.boolean(), v.description('whether native clients connect to a port of the client')),
  origin: text,
  labels: v.nullable(texts),
  runbook_title: v.optional(v.pipe(text, v.description('of the runbook, as it was when it was asked for'))),
  metadata: v.nullable(anything),
  session_batch_id: v.optional(text),
  correlation_id: v.optional(text),
  status: v.picklist(['open', 'ready', 'done']),
  state: StateShape,
  exit_code: v.nullable(whole),
  start_date: text,
  end_date: v.nullable(text),
  event_size: wholeCount,
  truncated_bytes: wholeCount,
  redacted_bytes: wholeCount,
  integrations_metadata: v.nullable(v.strictObject({ jira_issue_key: text, jira_issue_url: text })),
  jira_transition: v.nullable(JiraMoveShape),
  guardrails_info: v.nullable(v.array(anything)),
  ai_analysis: v.null(),
  script_size: v.nullable(wholeCount),
  metrics,
}

const ListedSessionShape = v.strictObject({ ...session, script: v.null() })

const SessionShape = v.strictObject({
  ...session,
  script: v.strictObject({ data: text }),
  event_stream: v.optional(v.array(v.union([text, v.tuple([v.number(), text, text])]))),
})

const DownloadLinkShape = v.strictObject({ download_url: text, expire_at: text })

const SessionListShape = v.strictObject({
  data: v.array(ListedSessionShape),
  total: v.nullable(wholeCount),
  total_is_capped: v.boolean(),
  has_next_page: v.boolean(),
})

const OutputRangeShape = v.strictObject({
  events: v.array(
    v.strictObject({
      place: wholeCount,
      time: text,
      type: v.picklist(['i', 'o', 'e']),
      stream: v.optional(v.pipe(v.literal('stderr'), v.description('of output; stdout has none'))),
      payload: v.pipe(text, v.description('base64')),
    }),
  ),
  next: v.pipe(wholeCount, v.description('the place to go on from')),
  over: v.boolean(),
  missing_bytes: v.pipe(wholeCount, v.description('of output that is not in the record')),
})

const StatementsShape = v.strictObject({
  statements: v.array(
    v.strictObject({
      connection: v.pipe(text, v.description('of a native client')),
      query: v.pipe(text, v.description('with its secrets replaced, as far as 16 KiB')),
      time: v.pipe(text, v.description('when it began')),
      state: v.pipe(
        v.picklist(['running', 'done', 'failed', 'prepared', 'skipped', 'unfinished', 'unknown']),
        v.description(
          '`prepared`: not executed itself. `skipped`: one before it had failed. `unfinished`: the connection ended first. `unknown`: too many statements waited to measure them',
        ),
      ),
      duration_ms: v.pipe(v.nullable(v.number()), v.description('from its arrival to its end')),
      rows: v.pipe(v.nullable(wholeCount), v.description('returned or changed')),
      error: v.pipe(v.nullable(text), v.description('SQLSTATE of PostgreSQL, error number of MySQL')),
    }),
  ),
  has_more: v.boolean(),
})

/** All of a session's metadata. */
const MetadataShape = v.object({ metadata: anyMap }, 'must be a JSON object')

/** Bytes as a command wrote them. */
const plainText = v.pipe(text, v.description('text/plain'))

export type ListedSession = Frozen<v.InferOutput<typeof ListedSessionShape>>
export type OutputRange = Frozen<v.InferOutput<typeof OutputRangeShape>>
/** Statements of native clients. */
export type StatementsAnswer = Frozen<v.InferOutput<typeof StatementsShape>>
export type StatementAnswer = StatementsAnswer['statements'][number]
/** An event without its place. */
export type EventAnswer = Omit<OutputRange['events'][number], 'place'>

const VIEW = { action: 'view', type: 'sessions' } as const

const FILTERS = {
  user: plainOption('sessions of this user, an SQL LIKE pattern (`%` is any text, `_` one character)'),
  connection: plainOption('on this connection, a LIKE pattern'),
  type: plainOption('on connections of this type, a LIKE pattern'),
  runbook: plainOption('of this runbook: its path, or a LIKE pattern'),
  status: plainOption(
    `in this state: ${OUTCOMES.join(', ')}, several with commas; or open, ready, done as in hoop`,
  ),
  kind: plainOption(`of this kind: ${SESSION_KINDS.join(', ')}`),
  parameter: plainOption(
    'with this text in a recorded parameter, among the newest 20,000 runs that match the other filters; requests of more than 64 KiB are not searched',
  ),
  batch_id: plainOption('of this batch'),
  correlation_id: plainOption('with this correlation id; empty: without one'),
  'review.status': plainOption('with a review in this state, a LIKE pattern; empty: without a review'),
  jira_issue_key: plainOption('with one of these issues, separated by commas'),
  'review.approver': plainOption('with a review by one of the groups of this user'),
  start_date: plainOption('that began at this time or later, RFC 3339'),
  end_date: plainOption('that began at this time or earlier, RFC 3339'),
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
    limit: plainOption('number of sessions, 20 unless given, at most 100'),
    offset: plainOption('number of sessions to skip, at most 10,000'),
    count: plainOption('how `total` is counted: capped at 10,000 (unless given), exact, or none'),
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
  days: v.array(
    v.strictObject({
      day: v.pipe(text, v.description('YYYY-MM-DD')),
      open: v.pipe(wholeCount, v.description('sessions that run, or wait for people')),
      succeeded: wholeCount,
      failed: wholeCount,
      stopped: wholeCount,
      rejected: wholeCount,
    }),
  ),
  is_capped: v.pipe(v.boolean(), v.description('a day has more sessions than were looked at')),
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
      'The filters are those of the list, except `parameter`. At most 100,000 sessions of a day are looked at.',
    role: 'user',
    scope: 'seen',
    audit: 'none',
    query: {
      ...FILTERS,
      parameter: plainOption('not looked at'),
      days: numberOption('days', 'how many days until today, 30 unless given, 92 at most', 92),
      time_zone: plainOption('in which days begin, like Europe/Berlin; UTC unless given'),
    },
    answers: { 200: DaysShape },
    errors: [['invalid-request', 422], 'history-failed'],
  },
  output: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id/output',
    summary: 'Returns a part of the output of a session, by the places in its stream',
    description:
      'The part has whole events, at least one if there is one. `over`: nothing comes after `next`.',
    role: 'user',
    scope: 'read',
    audit: VIEW,
    query: {
      from: plainOption('the place behind which it begins; at the beginning unless given'),
      bytes: plainOption('how many to look for, 262144 unless given, 1048576 at most'),
    },
    answers: { 200: OutputRangeShape },
    errors: ['not-permitted', 'session-not-found', ['invalid-request', 422], 'history-failed'],
  },
  statements: {
    tag: 'Sessions',
    method: 'GET',
    path: '/api/sessions/:id/statements',
    summary: 'The statements of the native clients of a session, the oldest first',
    description: 'Of a session with `port`, on a PostgreSQL or MySQL; others have none.',
    role: 'user',
    scope: 'read',
    audit: VIEW,
    query: {
      offset: numberOption('offset', 'how many are skipped, 0 unless given', 10_000_000, 0),
      limit: numberOption('limit', 'how many, 200 unless given, 1000 at most', 1000),
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
  query: { token: plainOption('of the link; the other options are those of the link, too') },
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
      'Each line is a session as the list shows it, with a `cursor`. Sessions that begin meanwhile are left out. `after` continues an interrupted export.',
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
      expand: plainOption('event_stream, session_input, resize, separated by commas'),
      event_stream: plainOption('the form of the output: utf8 or base64; a list of events without it'),
      extension: plainOption(
        'asks for a link to download the output as csv, json, txt or another file instead',
      ),
      'blob-type': plainOption('session_input: for a link to the script'),
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
      events: plainOption('i, o, e, separated by commas; o,e unless given'),
      newline: plainOption('1: a line break behind each event'),
      'event-time': plainOption('1: the time before each event'),
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
    description: 'With the header `Last-Event-ID` it continues after that event.',
    role: 'user',
    scope: 'read',
    audit: VIEW,
    query: { from: plainOption('now: what comes next; from the beginning unless given') },
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
